"""Tiny models of every kind, one app that shows them all, and visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from tests.app.serving import Visit, serving
from tests.cli.conftest import Workshop, workshop
from tests.cli.support import command, environment
from tests.predict.tiny_texts import HEADS, write_classifier

from tagline.folder import TEXT_CLASSIFICATION, Manifest, seal
from tagline.records import Problem

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

__all__ = ["workshop"]

RUNNING = ("--precision", "f32", "--threads", "1")
Visitor = Callable[..., Visit]


@dataclass(frozen=True)
class Models:
    """Folders of tiny models.

    Attributes:
        tagger: learnt a little of the demo corpus.
        other: marks entities at random.
        stars: one label of five.
        feelings: several of 28 labels, with thresholds.
        number: a number.
        pairs: one label of two, for pairs of texts.
    """

    tagger: Path
    other: Path
    stars: Path
    feelings: Path
    number: Path
    pairs: Path


@pytest.fixture(scope="session")
def models(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Models:
    place = tmp_path_factory.mktemp("models")
    tagger = place / "tagger"
    tagger.symlink_to(workshop.model, target_is_directory=True)
    folders = {name: place / name for name in ("stars", "feelings", "number", "pairs")}
    for name, head in (("stars", "five"), ("feelings", "emotions"), ("number", "number"), ("pairs", "two")):
        folders[name].mkdir()
        write_classifier("bert-uncased", HEADS[head], folders[name])
    thresholds = {label: 0.5 + 0.001 * at for at, label in enumerate(HEADS["emotions"].labels)}
    several = Manifest(TEXT_CLASSIFICATION, problem=Problem.MULTI, paired=False, window=64, overlap=15)
    seal(folders["feelings"], replace(several, thresholds=thresholds, version="test"))
    seal(folders["pairs"], Manifest(TEXT_CLASSIFICATION, paired=True, window=64, overlap=15, version="test"))
    return Models(tagger, _random_tagger(workshop.encoder, place / "other"), **folders)


def _random_tagger(encoder: Path, folder: Path) -> Path:
    import torch
    import transformers

    from tagline.publish.graph import write_graph

    torch.manual_seed(3)
    labels = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    config = transformers.BertConfig.from_pretrained(encoder, id2label=dict(enumerate(labels)))
    model = transformers.BertForTokenClassification(config).eval()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        model.classifier.weight.mul_(40)
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    write_graph(model, folder)
    seal(folder, Manifest(window=64, overlap=15, version="test"))
    return folder


@pytest.fixture(scope="session")
def address(chromium: str, models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app that shows all models; not started where there is no browser to visit it."""
    folders = [getattr(models, name) for name in Models.__dataclass_fields__]
    arguments = command("app", *folders, "--port", 0, *RUNNING)
    with serving(arguments, environment(), tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visitor]:
    """Opens the app; at the end asserts that its page never failed and asked nobody but the app for anything."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def run(width: int = 1280, dark: bool = False, url: str = "") -> Visit:
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        own = url or address
        page.on(
            "console", lambda said: troubles.append(said.text) if said.type == "error" and not _probe(said) else None
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda asked: troubles.append(asked.url) if _strange(asked.url, own) else None)
        return Visit(page, own)

    yield run
    for context in contexts:
        context.close()
    assert troubles == []


def _probe(said: ConsoleMessage) -> bool:
    """Streamlit's own question, on a page below the first, where the app begins."""
    return "/_stcore/" in said.location["url"]


def _strange(url: str, own: str) -> bool:
    return not url.startswith((own, own.replace("http", "ws"), "data:", "blob:"))
