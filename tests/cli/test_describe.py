"""`tagline describe` as a user calls it: figures counted here in another way, and the page."""

from __future__ import annotations

import json
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import call, quiet, refused, spawn
from tokenizers import Tokenizer

from tagline.data.schemes import spans

TEXTS = "text\tlabel\nshort one\ta\na much longer text of eight words here\tb\n<b>&$x$\tb\n"


def sentences(path: Path) -> list[list[tuple[str, str]]]:
    blocks = path.read_text("utf-8").strip("\n").split("\n\n")
    return [[(line.split("\t")[0], line.split("\t")[1]) for line in block.split("\n")] for block in blocks]


def test_figures_of_tagged_words(workshop: Workshop) -> None:
    result = call("describe", workshop.train, workshop.dev, "--encoder", workshop.encoder, "--window", "16", "--json")
    assert result.code == 0, result
    both = json.loads(result.out)
    assert [each["path"] for each in both] == [str(workshop.train), str(workshop.dev)]
    for found, path in zip(both, (workshop.train, workshop.dev), strict=True):
        rows = sentences(path)
        words = [word for row in rows for word, _ in row]
        sizes = [len(row) for row in rows]
        entities = [(span, row) for row in rows for span in spans([tag for _, tag in row])]
        assert (found["units"], found["words"], found["vocabulary"]) == (len(rows), len(words), len(set(words)))
        assert found["kind"] == "IOB2"
        assert found["lengths"]["median"] == np.median(sizes)
        assert found["lengths"]["p95"] == pytest.approx(np.percentile(sizes, 95))
        assert found["lengths"]["longest"] == max(sizes)
        assert sum(found["lengths"]["counts"]) == len(rows)
        assert found["entities"] == len(entities)
        kinds = Counter(span.label for span, _ in entities)
        assert {each["label"]: each["count"] for each in found["labels"]} == kinds
        assert [each["count"] for each in found["labels"]] == sorted(kinds.values(), reverse=True)
        inside = sum(tag != "O" for row in rows for _, tag in row)
        assert found["share_outside"] == pytest.approx(1 - inside / len(words))
        assert sum(each["words"] for each in found["labels"]) == inside
        for each in found["labels"]:
            names = Counter(
                " ".join(word for word, _ in row[span.start : span.end])
                for span, row in entities
                if span.label == each["label"]
            )
            assert each["distinct"] == len(names)
            assert [times for _, times in each["top"]] == [times for _, times in names.most_common(10)]
        tokenizer = Tokenizer.from_file(str(workshop.encoder / "tokenizer.json"))
        pieces = [len(tokenizer.encode([word for word, _ in row], is_pretokenized=True).ids) for row in rows]
        shown = found["subtokens"]
        assert shown["lengths"]["longest"] == max(pieces)
        assert shown["over"] == pytest.approx(np.mean(np.array(pieces) > 16))
        assert shown["per_word"] == pytest.approx((sum(pieces) - 2 * len(rows)) / len(words))
        unknown = tokenizer.token_to_id("[UNK]")
        strange = sum(unknown in tokenizer.encode([word], is_pretokenized=True).ids for word in words)
        assert shown["unknown"] == pytest.approx(strange / len(words))


def test_tables_for_people(workshop: Workshop) -> None:
    result = call("describe", workshop.train, workshop.dev, "--encoder", workshop.encoder)
    assert result.code == 0, result
    for said in ("scheme", "IOB2", "train.conll", "dev.conll", "PER", "O, words", "sub-tokens, 95 %", "words unknown"):
        assert said in result.out
    quiet(result)


def test_labelled_texts(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text(TEXTS)
    result = call("describe", file, "--json", "--encoder", "minilm")
    assert result.code == 0, result
    (found,) = json.loads(result.out)
    assert (found["task"], found["kind"], found["units"], found["words"]) == ("text-classification", "single", 3, 11)
    assert [(each["label"], each["count"]) for each in found["labels"]] == [("b", 2), ("a", 1)]
    assert found["lengths"]["longest_line"] == 3
    numbers = tmp_path / "n.tsv"
    numbers.write_text("text\tscore\na\t1.5\nb\t4\n")
    (found,) = json.loads(call("describe", numbers, "--json").out)
    assert found["scores"] == [1.5, 2.75, 4.0]
    assert found["labels"] == []


class Page(HTMLParser):
    """What a page asks for from elsewhere, and how many pictures it has."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pictures += tag == "svg"
        for name, value in attrs:
            if name in ("src", "href", "data", "xlink:href") and value and not value.startswith("#"):
                self.outside.append(value)


def test_the_page_needs_no_network_and_shows_both_files(workshop: Workshop, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    files = (workshop.train, workshop.dev)
    assert call("describe", *files, "--encoder", workshop.encoder, "--html", target).code == 0
    text = target.read_text("utf-8")
    page = Page()
    page.feed(text)
    assert page.outside == []
    assert "url(http" not in text
    assert page.pictures == 4
    assert "prefers-color-scheme: dark" in text
    assert "#010101" not in text
    for said in ("train.conll", "dev.conll", "PER", "Words, with and without O", "Most frequent names", "var(--c3)"):
        assert said in text
    again = tmp_path / "again.html"
    assert call("describe", *files, "--encoder", workshop.encoder, "--html", again).code == 0
    assert again.read_bytes() == target.read_bytes()


def test_names_on_the_page_are_no_markup(tmp_path: Path) -> None:
    file = tmp_path / "a.conll"
    file.write_text("<script>alert(1)</script>\tB-<i>$x^2$\n東京\tB-LOC\n")
    assert call("describe", file, "--html", tmp_path / "page.html").code == 0
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "<script>" not in text
    assert "<i>$" not in text
    assert "東京" in text


def test_what_is_missing_is_said(workshop: Workshop, tmp_path: Path) -> None:
    with patch.dict(sys.modules, {"matplotlib": None}):
        refused(
            call("describe", workshop.dev, "--encoder", workshop.encoder, "--html", tmp_path / "a.html"),
            "tagline[plots]",
        )
    assert not (tmp_path / "a.html").exists()
    with patch("tagline.text.vocabulary.importlib.util.find_spec", return_value=None):
        result = call("describe", workshop.dev, "--json")
    assert result.code == 0
    assert json.loads(result.out)[0]["subtokens"] is None
    assert "minilm is not installed" in result.err
    refused(call("describe", tmp_path / "none.conll"), "no such file")


def test_describing_needs_no_torch(workshop: Workshop) -> None:
    code = "import sys; sys.modules['torch'] = sys.modules['transformers'] = None; from tagline.cli import main; main()"
    import subprocess

    from tests.cli.support import environment

    done = subprocess.run(
        [sys.executable, "-c", code, "describe", str(workshop.dev), "--json"],
        capture_output=True, env=environment(), check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["subtokens"] is not None
    assert spawn("describe", "--help").code == 0
