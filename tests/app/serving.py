"""The app as its users meet it: a process that serves it, and a page in a real Chromium."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 60.0  # seconds that a busy machine may take for anything
EVIL = '<img src=x onerror="window.broken=1">'


@contextmanager
def serving(command: Sequence[str], env: Mapping[str, str], cwd: Path, url: str = "") -> Iterator[str]:
    """A process that serves the app; gives its address, which it says itself where none is given."""
    log = cwd / "app.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            said = log.read_text(encoding="utf-8", errors="replace")
            assert process.poll() is None, f"it ended:\n{said}"
            assert time.monotonic() < until, f"it does not answer:\n{said}"
            with suppress(OSError, IndexError):
                found = url or said.split("tagline app: ")[1].split()[0]
                if urlopen(f"{found}/_stcore/health", timeout=5).status == 200:
                    break
            time.sleep(0.1)
        yield found
        assert "Traceback" not in log.read_text(encoding="utf-8", errors="replace"), log.read_text(encoding="utf-8")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Visit:
    """A visitor's page, with the few things that all tests do on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(PATIENCE * 1000)

    def open(self, path: str = "") -> Page:
        """Opens a page of the app and waits until it is drawn."""
        self.page.goto(f"{self.url}/{path}")
        self.page.locator(".st-key-headline h1").wait_for()
        self.rest()
        return self.page

    def rest(self) -> None:
        """Waits until the script has run."""
        self.page.wait_for_timeout(150)
        self.page.wait_for_function(
            "document.querySelector('[data-test-script-state]').dataset.testScriptState === 'notRunning'"
        )

    def go(self, name: str) -> None:
        """Follows a link of the head."""
        self.page.locator(".st-key-head").get_by_role("link", name=name).click()
        self.rest()

    def choose(self, label: str, option: str) -> None:
        """Takes an option of a list."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.rest()

    def type(self, text: str, label: str = "Text") -> None:
        """Types a text and has it read."""
        box = self.page.get_by_label(label, exact=True)
        box.fill(text)
        box.press("Control+Enter")
        self.rest()

    def chips(self, key: str = "marked") -> list[str]:
        """The coloured spans with what stands beside them."""
        return [
            text.replace("\n", " ") for text in self.page.locator(f".st-key-{key} .tagline-span").all_text_contents()
        ]

    def shows(self, expected: Sequence[str], key: str = "marked") -> None:
        """Waits until the coloured spans are these."""
        self.reads(f".st-key-{key} .tagline-span", expected)

    def reads(self, selector: str, expected: Sequence[str]) -> None:
        """Waits until the elements have these texts."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_text(list(expected), timeout=PATIENCE * 1000)

    def says(self, text: str) -> None:
        """Waits for a text."""
        self.page.get_by_text(text).first.wait_for()

    def upload(self, name: str, content: bytes) -> None:
        """Gives the page a file."""
        self.page.set_input_files(
            "input[type=file]", files={"name": name, "mimeType": "application/octet-stream", "buffer": content}
        )
        self.page.get_by_text(name).first.wait_for()
        self.page.locator(".st-key-start button, [data-testid=stAlert]").first.wait_for()
        self.rest()

    def form(self, name: str) -> None:
        """Chooses the format of the result."""
        self.page.locator(".st-key-form button").filter(has_text=name).click()
        self.rest()

    def download(self, place: Path) -> bytes:
        """What the button of the result saves."""
        with self.page.expect_download() as waiting:
            self.page.locator(".st-key-download button").click()
        waiting.value.save_as(place)
        return place.read_bytes()

    def width(self) -> int:
        """How wide the page would like to be."""
        wide: Any = self.page.evaluate(
            "Math.max(document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth)"
        )
        return int(wide)


def contrast(page: Page, selector: str) -> float:
    """The least contrast (WCAG 2) of the elements' text on the ground behind it."""
    script = """selector => {
      const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      const rgba = css => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data]; };
      const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
      const ground = element => { for (let e = element; e; e = e.parentElement) {
        const found = rgba(getComputedStyle(e).backgroundColor); if (found[3] === 255) return found; }
        return [255, 255, 255]; };
      return Math.min(...[...document.querySelectorAll(selector)].map(e => {
        const [a, b] = [light(rgba(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        return (a + .05) / (b + .05); })); }"""
    return float(page.evaluate(script, selector))
