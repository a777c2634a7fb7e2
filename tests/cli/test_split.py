"""`tagline split` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Workshop
from tests.cli.support import call, quiet, refused, tree

from tagline.data.corpus import read_corpus


def test_a_corpus_in_three_files_without_a_leak(workshop: Workshop, tmp_path: Path) -> None:
    result = call("split", workshop.train, "-o", tmp_path / "parts", "--shares", "70/20/10", "--seed", "5", "--json")
    assert result.code == 0, result
    facts = json.loads(result.out)
    assert [Path(each).name for each in facts["files"]] == ["train.conll", "dev.conll", "test.conll"]
    counts = {name: each["sentences"] for name, each in facts["parts"].items()}
    total = len(read_corpus(workshop.train).sentences)
    assert sum(counts.values()) == total
    assert abs(counts["dev"] - 0.2 * total) <= 3
    for name, number in counts.items():
        assert len(read_corpus(tmp_path / "parts" / f"{name}.conll").sentences) == number
    roles = {f"--{name}": tmp_path / "parts" / f"{name}.conll" for name in counts}
    audit = call("audit", *(word for pair in roles.items() for word in pair), "--fail-on", "leakage")
    assert audit.code == 0, audit
    again = call("split", workshop.train, "-o", tmp_path / "again", "--shares", "0.7/0.2/0.1", "--seed", "5")
    assert again.code == 0
    assert tree(tmp_path / "again") == tree(tmp_path / "parts")
    assert "groups that stay together" in again.err
    quiet(again)
    other = call("split", workshop.train, "-o", tmp_path / "other", "--shares", "70/20/10", "--seed", "6")
    assert other.code == 0
    assert tree(tmp_path / "other") != tree(tmp_path / "parts")


def test_a_part_without_a_share_gets_no_file(workshop: Workshop, tmp_path: Path) -> None:
    assert call("split", workshop.train, "-o", tmp_path / "parts", "--shares", "90/10/0").code == 0
    assert set(tree(tmp_path / "parts")) == {"train.conll", "dev.conll"}


def test_bad_input_leaves_nothing_behind(workshop: Workshop, tmp_path: Path) -> None:
    place = tmp_path / "parts"
    refused(call("split", workshop.train, "-o", place, "--shares", "80/10"), "--shares is '80/10'", "80/10/10")
    refused(call("split", workshop.train, "-o", place, "--seed", "-1"), "seed -1")
    refused(call("split", tmp_path / "none", "-o", place), "no such file")
    one = tmp_path / "one.conll"
    one.write_text("Rome B-LOC\n")
    refused(call("split", one, "-o", place), "none is left for")
    refused(call("split", workshop.train, "-o", workshop.folder), "not empty")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one.conll"]
