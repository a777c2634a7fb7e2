"""Files given to the app: the result is that of `tagline predict`, and a bad file is a sentence on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.app.conftest import RUNNING, Models, Visitor
from tests.cli.conftest import Workshop
from tests.cli.support import call

LINES = ["John Parker moved from Oslo to New York.", "", "Nothing to see here.", 'He said "Lisbon", twice; then left.']


def predicted(model: Path, source: Path, target: Path, *options: object) -> bytes:
    """What the command line makes of the same file."""
    done = call("predict", model, source, "-o", target, *RUNNING, *options)
    assert done.code == 0, done
    return target.read_bytes()


def test_a_table_in_and_lines_of_json_out(models: Models, visit: Visitor, tmp_path: Path) -> None:
    quoted = ['"' + line.replace('"', '""') + '"' for line in LINES]
    source = tmp_path / "news & more.csv"
    source.write_text("id,body\n" + "".join(f"{at},{line}\n" for at, line in enumerate(quoted)), encoding="utf-8")
    there = visit()
    page = there.open("file")
    there.upload(source.name, source.read_bytes())
    there.choose("Column of the text", "body")
    page.get_by_role("button", name="Read the file").click()
    page.get_by_text("4 texts read").wait_for()
    there.rest()
    saved = there.download(tmp_path / "saved.jsonl")
    assert saved == predicted(models.tagger, source, tmp_path / "o.jsonl", "--text-column", "body")
    entities = [each for line in saved.decode().splitlines() for each in json.loads(line)["entities"]]
    assert page.locator(".st-key-counts .chip").count() == len({each["label"] for each in entities})
    assert len(there.chips("first")) == len(entities)
    there.form("CSV")  # other choices: what was made before goes
    page.get_by_text("4 texts read").wait_for(state="detached")


@pytest.mark.parametrize("ending", ["txt", "conll"])
def test_columns_out(workshop: Workshop, models: Models, visit: Visitor, tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"in.{ending}"
    source.write_bytes(workshop.test.read_bytes() if ending == "conll" else "\n".join(LINES * 40).encode())
    there = visit(390)
    page = there.open("file")
    there.upload(source.name, source.read_bytes())
    there.form("CoNLL")
    there.rest()
    page.get_by_role("button", name="Read the file").click()
    page.locator(".st-key-done").wait_for()
    there.rest()
    assert there.width() <= 390
    assert there.download(tmp_path / "saved.conll") == predicted(models.tagger, source, tmp_path / "o.conll")


def test_pairs_in_and_a_table_out(models: Models, visit: Visitor, tmp_path: Path) -> None:
    source = tmp_path / "pairs.tsv"
    source.write_text("a\tb\nOslo is cold.\tIt is cold in Oslo.\nOne\tTwo\n", encoding="utf-8")
    there = visit()
    page = there.open("file")
    there.choose("Model", "pairs")
    there.upload(source.name, source.read_bytes())
    assert page.locator(".st-key-form button").all_inner_texts() == ["JSONL", "CSV"]
    there.form("CSV")
    there.rest()
    page.get_by_role("button", name="Read the file").click()
    page.get_by_text("2 texts read").wait_for()
    there.rest()
    expected = predicted(models.pairs, source, tmp_path / "o.csv", "--text-column", "a", "--pair-column", "b")
    assert there.download(tmp_path / "saved.csv") == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("latin.txt", "Malmö".encode("latin-1"), "not UTF-8"),
        ("torn.csv", b'text\n"never closed\n', "torn.csv, line 2: the quoting is broken"),
        ("list.jsonl", b'{"text": "fine"}\n["no object"]\n', "list.jsonl, line 2"),
        ("nothing.txt", b"", "nothing.txt"),
    ],
)
def test_a_bad_file_is_a_sentence(visit: Visitor, name: str, content: bytes, said: str) -> None:
    there = visit()
    page = there.open("file")
    there.upload(name, content)
    button = page.get_by_role("button", name="Read the file")
    if button.count():
        button.click()
    alert = page.locator("[data-testid=stAlert]")
    alert.wait_for()
    text = alert.inner_text()
    assert said in text
    assert "/tmp" not in text
    assert "tagline-" not in text
    assert "Traceback" not in page.locator("body").inner_text()
    there.upload("good.txt", b"John Parker moved from Oslo to New York.")
    page.get_by_role("button", name="Read the file").click()
    page.get_by_text("1 text read").wait_for()
