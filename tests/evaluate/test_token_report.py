"""The report on one corpus and the interval of its headline."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
from rich.console import Console

from tagline.data.schemes import Scheme, convert
from tagline.errors import UsageError
from tagline.evaluate import conlleval, evaluate_tags, score_words, strict
from tagline.evaluate.intervals import f1_interval, sentence_counts
from tagline.records import Span

SCORE = {"precision", "recall", "f1", "support"}


def corpus(size: int, seed: int = 1) -> tuple[list[list[str]], list[list[str]]]:
    chance = random.Random(seed)
    pieces = [["O"], ["O", "O"], ["B-PER"], ["B-PER", "I-PER"], ["B-LOC"], ["B-ORG", "I-ORG", "I-ORG"]]
    gold = [list(chain.from_iterable(chance.choices(pieces, k=4))) for _ in range(size)]
    tags = sorted({tag for piece in pieces for tag in piece})
    predicted = [[tag if chance.random() < 0.95 else chance.choice(tags) for tag in row] for row in gold]
    return gold, predicted


def test_json_has_the_promised_keys_and_python_numbers() -> None:
    gold, predicted = corpus(50)
    report = json.loads(json.dumps(evaluate_tags(gold, predicted, seconds=1.5).to_json()))
    keys = "task strict strict_interval conlleval types macro weighted words sentences seconds"
    assert set(report) == set(keys.split())
    assert report["task"] == "token-classification"
    for part in (report["strict"], report["conlleval"], report["macro"], report["weighted"]):
        assert set(part) == SCORE
    assert list(report["types"]) == ["LOC", "ORG", "PER"]
    assert set(report["words"]) == {"accuracy", "accuracy_without_o", "tags"}
    assert list(report["words"]["tags"]) == ["B-LOC", "B-ORG", "B-PER", "I-ORG", "I-PER"]
    assert all(set(row) == SCORE for row in [*report["types"].values(), *report["words"]["tags"].values()])
    assert (report["sentences"], report["seconds"]) == (50, 1.5)


def test_the_parts_are_those_of_the_single_functions() -> None:
    gold, predicted = corpus(200)
    report = evaluate_tags(gold, predicted)
    assert (report.strict, report.conlleval) == (strict(gold, predicted), conlleval(gold, predicted))
    assert report.words == score_words(gold, predicted)
    assert report.strict.overall.f1 != report.conlleval.overall.f1
    low, high = report.intervals
    assert low < report.strict.overall.f1 < high


@pytest.mark.parametrize("scheme", [Scheme.IOB1, Scheme.IOBES, Scheme.BILOU])
def test_the_scheme_does_not_change_the_score_of_legal_tags(scheme: Scheme) -> None:
    gold, predicted = corpus(100)
    # Repaired by conversion, so that they are legal in both schemes.
    legal = [convert(tags, Scheme.IOB2, Scheme.IOB2) for tags in predicted]
    expected = evaluate_tags(gold, legal)
    given = evaluate_tags(
        [convert(tags, Scheme.IOB2, scheme) for tags in gold],
        [convert(tags, Scheme.IOB2, scheme) for tags in legal],
        scheme,
    )
    assert given.strict == expected.strict
    assert given.conlleval == expected.conlleval
    assert given.intervals == expected.intervals


def test_table_rows() -> None:
    gold, predicted = corpus(50)
    report = evaluate_tags(gold, predicted)
    rows = report.table()
    assert [row.name for row in rows] == ["LOC", "ORG", "PER", "micro avg", "macro avg", "weighted avg", "conlleval"]
    per = report.strict.types["PER"]
    assert rows[2][1:] == (per.precision, per.recall, per.f1, per.support)
    assert rows[-1].f1 == report.conlleval.overall.f1


def test_render_shows_every_row_and_takes_names_literally() -> None:
    output = io.StringIO()
    report = evaluate_tags([["B-[red]", "O"], ["B-LOC", "O"]], [["B-[red]", "O"], ["O", "O"]], seconds=2)
    report.render(Console(file=output, width=100))
    text = output.getvalue()
    for row in report.table():
        line = next(line for line in text.splitlines() if row.name in line)
        assert f"{row.precision:.4f}" in line
        assert f"{row.recall:.4f}" in line
        assert f"{row.f1:.4f}" in line
    assert "[red]" in text
    assert "Strict F1 0.6667, 95 % interval 0.0000 to 1.0000." in text
    assert "2 sentences, 4 words, 2.0 s." in text


def test_importing_the_report_does_not_import_rich() -> None:
    code = "import sys, tagline.evaluate; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_sentence_counts() -> None:
    gold = [[Span("X", 0, 1), Span("Y", 1, 2)], []]
    predicted = [[Span("X", 0, 1), Span("X", 1, 2)], [Span("X", 0, 1)]]
    assert sentence_counts(gold, predicted) == [(1, 2, 2), (0, 1, 0)]


def test_interval_is_the_bootstrap_over_sentences() -> None:
    chance = np.random.default_rng(3)
    gold = chance.integers(0, 5, 300)
    predicted = chance.integers(0, 5, 300)
    correct = chance.binomial(np.minimum(gold, predicted), 0.8)
    counts = list(zip(correct.tolist(), predicted.tolist(), gold.tolist(), strict=True))
    low, high = f1_interval(counts, resamples=20_000)
    drawn = chance.integers(0, 300, (20_000, 300))  # the plain way: sentences drawn one by one
    sums = [side[drawn].sum(axis=1) for side in (correct, predicted, gold)]
    expected = np.quantile(2 * sums[0] / (sums[1] + sums[2]), [0.025, 0.975])
    assert (low, high) == pytest.approx(tuple(expected), abs=0.003)
    assert high - low > 0.03


def test_interval_depends_on_the_seed_alone() -> None:
    counts = [(1, 2, 1), (3, 3, 4), (0, 0, 1), (2, 2, 2)] * 20
    assert f1_interval(counts, seed=4) == f1_interval(counts[::-1], seed=4)
    assert f1_interval(counts, seed=4) != f1_interval(counts, seed=5)
    wide, narrow = f1_interval(counts, level=0.99), f1_interval(counts, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_interval_of_little_data() -> None:
    assert f1_interval([]) == (0.0, 0.0)
    assert f1_interval([(0, 0, 0)] * 5) == (0.0, 0.0)
    assert f1_interval([(2, 3, 3)]) == pytest.approx((2 / 3, 2 / 3))
    assert evaluate_tags([], []).to_json()["strict_interval"] == [0.0, 0.0]


def test_interval_of_a_whole_test_set() -> None:
    chance = random.Random(2)
    counts = [(chance.randint(0, 3), chance.randint(3, 9), chance.randint(3, 9)) for _ in range(3500)]
    low, high = f1_interval(counts)
    correct, found, wanted = map(sum, zip(*counts, strict=True))
    assert low < 2 * correct / (found + wanted) < high < low + 0.02


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (10, 1.0), (10, 0.0)])
def test_impossible_intervals_are_refused(resamples: int, level: float) -> None:
    with pytest.raises(UsageError, match="level must lie between 0 and 1"):
        f1_interval([(1, 1, 1)], resamples=resamples, level=level)
