"""The classifier: what it sends to the engine, and what it makes of the logits."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.families import POSITIONS
from tests.predict.conftest import TextFolders
from tests.predict.tiny_texts import HEADS, LINES, Watched
from tokenizers import Tokenizer

from tagline.engines import EngineSettings
from tagline.errors import FolderError, UsageError
from tagline.folder import TEXT_CLASSIFICATION, Manifest, ModelFolder
from tagline.predict import Classifier, chunks, load
from tagline.records import Problem

Logits = NDArray[np.float32]
Answer = Callable[[NDArray[np.int64]], Logits]
FIVE = HEADS["five"].labels
PROBLEMS = {
    "five": Problem.SINGLE,
    "several": Problem.MULTI,
    "number": Problem.REGRESSION,
    "emotions": Problem.MULTI,
}


def sums(count: int) -> Answer:
    """Logits that depend on every sub-token and its place, between -3 and 3."""

    def answer(ids: NDArray[np.int64]) -> Logits:
        places = np.arange(1, len(ids) + 1)
        return np.asarray([((ids * places).sum() * (label + 3)) % 601 / 100 - 3 for label in range(count)], np.float32)

    return answer


@pytest.fixture
def made(text_folders: TextFolders) -> Callable[..., tuple[Classifier, Watched]]:
    """A classifier over an engine of the test's own, its manifest changed as asked."""

    def make(head: str = "five", answer: Answer | None = None, **changes: Any) -> tuple[Classifier, Watched]:
        opened = ModelFolder.open(text_folders("bert-cased", head, False))
        settings: dict[str, Any] = {"window": POSITIONS, "overlap": 8, "problem": PROBLEMS[head]}
        manifest = Manifest(task=TEXT_CLASSIFICATION, **{**settings, **changes})
        folder = ModelFolder(opened.path, manifest, opened.config, opened.labels)
        engine = Watched(answer or sums(len(folder.labels)))
        return Classifier(folder, engine), engine

    return make


Made = Callable[..., tuple[Classifier, Watched]]


def framed(classifier: Classifier, text: str) -> list[int]:
    """Ids of a text in one window, from the tokenizer itself."""
    tokenizer = Tokenizer.from_file(str(classifier.folder.path / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids: list[int] = tokenizer.encode(text).ids
    return ids


def softmax(logits: Logits) -> list[float]:
    raised = np.exp(logits.astype(np.float64))
    return [float(each) for each in raised / raised.sum()]


def test_one_label(made: Made) -> None:
    classifier, engine = made()
    answer = classifier("Maria Novak", top_k=None)
    expected = softmax(engine.answer(np.asarray(framed(classifier, "Maria Novak"))))
    ranked = sorted(zip(FIVE, expected, strict=True), key=lambda each: -each[1])
    assert [label for label, _ in answer.scores] == [label for label, _ in ranked]
    assert [score for _, score in answer.scores] == pytest.approx([score for _, score in ranked], abs=1e-6)
    assert sum(score for _, score in answer.scores) == pytest.approx(1, abs=1e-6)
    assert (answer.text, answer.pair, answer.problem) == ("Maria Novak", None, Problem.SINGLE)
    assert (answer.windows, answer.shortened) == (1, 0)
    assert answer.labels == (ranked[0][0],)
    assert (answer.label, answer.score) == answer.scores[0]
    assert all(type(score) is float for _, score in answer.scores)


@pytest.mark.parametrize("top_k", [1, 2, 5, 100])
def test_top_k(made: Made, top_k: int) -> None:
    classifier, _ = made()
    everything = classifier(LINES[:3], top_k=None)
    assert [len(answer.scores) for answer in everything] == [5, 5, 5]
    for some, answer in zip(classifier(LINES[:3], top_k=top_k), everything, strict=True):
        assert some.scores == answer.scores[:top_k]
        assert some.labels == answer.labels
    assert len(classifier("Oslo").scores) == 1


def test_equal_scores_come_in_the_order_of_the_labels(made: Made) -> None:
    classifier, _ = made(answer=lambda ids: np.zeros(5, dtype=np.float32))
    answer = classifier("Oslo", top_k=None)
    assert [each.label for each in answer.scores] == list(FIVE)
    assert [each.score for each in answer.scores] == pytest.approx([0.2] * 5)
    assert answer.labels == FIVE[:1]


def test_several_labels_by_their_thresholds(made: Made) -> None:
    logits = np.asarray([2.0, -1.0, 0.0, -3.0], dtype=np.float32)
    joy, anger, fear, surprise = (1 / (1 + np.exp(-logits.astype(np.float64)))).tolist()

    def labels(**thresholds: float) -> tuple[str, ...]:
        return made("several", lambda ids: logits, thresholds=thresholds)[0]("Oslo").labels

    assert labels() == ("joy", "fear")  # a probability of just 0.5 is enough
    assert labels(fear=0.51) == ("joy",)
    assert labels(joy=0.9, fear=0.6) == ()
    assert labels(anger=0.2, surprise=0.01) == ("joy", "fear", "anger", "surprise")
    answer = made("several", lambda ids: logits)[0]("Oslo", top_k=None)
    assert dict(answer.scores) == pytest.approx({"joy": joy, "anger": anger, "fear": fear, "surprise": surprise})
    assert answer.label == "joy"
    assert answer.fields()["labels"] == ["joy", "fear"]


def test_a_number(made: Made) -> None:
    classifier, engine = made("number")
    answer = classifier("Oslo", top_k=None)
    assert answer.score == pytest.approx(float(engine.answer(np.asarray(framed(classifier, "Oslo")))[0]))
    assert answer.labels == ()
    assert answer.fields() == {"score": answer.score}


@pytest.mark.parametrize("words", [1, 2, 30, 300])
def test_28_labels_are_all_there_however_short_the_text(made: Made, words: int) -> None:
    """A window may have fewer sub-tokens than there are labels."""
    logits = np.linspace(-3, 3, 28, dtype=np.float32)
    classifier, engine = made("emotions", lambda ids: logits)
    answer = classifier("a " * words, top_k=None)
    assert len(answer.scores) == 28
    assert [label for label, _ in answer.scores] == [f"emotion {number}" for number in range(27, -1, -1)]
    assert len(engine.sent) == answer.windows
    read = next(classifier.read([("a", None)]))
    np.testing.assert_array_equal(read.logits, logits)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_windows_of_a_long_text_are_pooled(made: Made, pooling: str) -> None:
    classifier, engine = made(pooling=pooling)
    text = " ".join(LINES)
    answer = classifier(text, top_k=None)
    windows = np.stack([engine.answer(np.asarray(ids)) for ids, _ in engine.sent])
    assert len(windows) == answer.windows > 4
    pooled = windows.mean(0) if pooling == "mean" else windows.max(0)
    assert dict(answer.scores) == pytest.approx(dict(zip(FIVE, softmax(pooled), strict=True)), abs=1e-6)
    # Probabilities pooled after the fact would have been another answer.
    other = np.mean([softmax(row) for row in windows], axis=0)
    assert np.abs(np.asarray([dict(answer.scores)[label] for label in FIVE]) - other).max() > 1e-3


@pytest.mark.parametrize("overlap", [0, 8, 31])
def test_every_sub_token_of_a_long_text_is_sent(made: Made, overlap: int) -> None:
    classifier, engine = made(overlap=overlap)
    chosen = random.Random(5).choices(" ".join(LINES).split(), k=400)
    text = " ".join([*chosen, "".join(map(str, range(200))), *chosen[:9]])
    answer = classifier(text)
    first, *inner, last = framed(classifier, text)
    windows = sorted((ids for ids, _ in engine.sent), key=lambda ids: _places(inner, ids[1:-1])[0])
    assert len(windows) == answer.windows
    read = 0
    for ids in windows:
        assert len(ids) <= POSITIONS
        assert (ids[0], ids[-1]) == (first, last)
        starts = [start for start in _places(inner, ids[1:-1]) if read - overlap <= start <= read]
        assert starts, "sub-tokens left out, or more of them read twice than the overlap allows"
        read = max(read, starts[-1] + len(ids) - 2)
    assert read == len(inner)
    assert all(set(kinds) == {0} for _, kinds in engine.sent)


def _places(whole: list[int], part: list[int]) -> list[int]:
    return [start for start in range(len(whole) - len(part) + 1) if whole[start : start + len(part)] == part]


def test_pairs(made: Made) -> None:
    classifier, engine = made()
    pair = ("Maria Novak", "moved to Oslo")
    ways = [classifier(pair), classifier({"text": pair[0], "text_pair": pair[1]}), *classifier([pair, pair])]
    assert all(answer == ways[0] for answer in ways)
    assert (ways[0].text, ways[0].pair) == pair
    one, two = framed(classifier, pair[0]), framed(classifier, pair[1])
    assert engine.sent == [([*one, *two[1:]], [0] * len(one) + [1] * (len(two) - 1))] * 4
    alone = classifier([{"text": "Oslo"}, {"text": "Oslo", "text_pair": None}])  # type: ignore[dict-item]
    assert alone == [classifier("Oslo")] * 2
    assert classifier(["Oslo", "Peru"]) == [classifier("Oslo"), classifier("Peru")]  # a list is no pair


def test_the_longer_text_of_a_pair_is_shortened_and_counted(made: Made) -> None:
    classifier, engine = made()
    answer = classifier(("a " * 10, "b " * 100))
    assert (answer.windows, answer.shortened) == (1, 10 + 100 - (POSITIONS - 3))
    ((ids, kinds),) = engine.sent
    assert len(ids) == POSITIONS
    assert kinds == [0] * 12 + [1] * (POSITIONS - 12)
    assert classifier(("a " * 10, "b " * (POSITIONS - 13))).shortened == 0
    both = classifier(("a " * 90, "b " * 100))
    assert both.shortened == 90 + 100 - (POSITIONS - 3)
    assert abs(engine.sent[-1][1].count(0) - engine.sent[-1][1].count(1)) <= 2


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            3,
            'got int; expected a text (str), a tuple ("first", "second"), or a mapping with "text" and "text_pair", or',
        ),
        (None, "got NoneType; expected a text (str)"),
        (b"bytes", "got bytes; expected a text (str)"),
        (["good", 3], "input 1: got int; expected a text (str), a tuple"),
        (["good", b"bytes"], "input 1: got bytes; expected"),
        ([["first", "second"]], "input 0: got list; expected a text (str), a tuple"),
        ([("first", None)], "input 0: got tuple; expected"),
        (("first", "second", 3), "input 2: got int; expected"),
        ({"text_pair": "second"}, "got a mapping of text_pair: str; expected"),
        ({"text": "a", "label": "b"}, "got a mapping of text: str, label: str; expected"),
        ([{"text": None}], "input 0: got a mapping of text: NoneType; expected"),
        ({"text": "a", "text_pair": 3}, "got a mapping of text: str, text_pair: int; expected"),
    ],
)
def test_wrong_inputs(made: Made, texts: Any, said: str) -> None:
    classifier, _ = made()
    with pytest.raises(UsageError) as caught:
        classifier(texts)
    assert said in str(caught.value)
    assert classifier("still usable").label in FIVE


@pytest.mark.parametrize("top_k", [0, -1, "3", 1.5, True])
def test_wrong_top_k(made: Made, top_k: Any) -> None:
    classifier, _ = made()
    for call in (classifier, classifier.stream):  # a stream says it at once, not when it is first asked
        with pytest.raises(UsageError, match=f"top_k is {top_k!r}; expected at least 1, or None for all labels"):
            call(["text"], top_k=top_k)
    with pytest.raises(UsageError, match="top_k is"):
        classifier("text", top_k=top_k)


def test_a_text_is_no_stream(made: Made) -> None:
    classifier, _ = made()
    for texts in ("letters", {"text": "a"}, 3):
        with pytest.raises(UsageError, match=f"got {type(texts).__name__}; expected .*, or an iterable of these"):
            classifier.stream(texts)  # type: ignore[arg-type]


def test_pairs_and_single_texts_are_not_mixed_up(made: Made) -> None:
    singles, _ = made(paired=False)
    with pytest.raises(UsageError, match=r"^this model reads single texts and got a pair; give a text"):
        singles(("first", "second"))
    with pytest.raises(UsageError, match=r"^input 1: this model reads single texts and got a pair"):
        singles(["good", {"text": "first", "text_pair": "second"}])
    pairs, _ = made(paired=True)
    with pytest.raises(UsageError, match=r'^this model reads pairs of texts and got a single text; give .*"text_pair"'):
        pairs("first")
    with pytest.raises(UsageError, match=r"^input 1: this model reads pairs"):
        pairs([("a", "b"), "first"])
    assert pairs(("first", "")).pair == ""
    assert singles("first").pair is None


def test_order_is_kept_across_batches_and_chunks(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, engine = made()
    words = " ".join(LINES).split()
    texts: list[Any] = [" ".join(words[start : start + start * 7 % 60]) for start in range(150)]
    texts += [("Maria", "Oslo"), "", " "]
    alone = [classifier(text, top_k=None) for text in texts]
    assert classifier(texts, top_k=None) == alone
    monkeypatch.setattr(chunks, "POOL_TOKENS", 200)
    assert list(classifier.stream(iter(texts), top_k=None)) == alone
    assert engine.largest <= 1024
    assert len({answer.scores for answer in alone}) > 100
    assert classifier([]) == list(classifier.stream([])) == []


def test_streaming_takes_texts_as_they_are_needed(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "POOL_TOKENS", 300)
    classifier, engine = made()
    engine.sent = Forgetful()
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"{LINES[taken % len(LINES)]} {taken}"

    stream = classifier.stream(texts())
    assert taken == 0
    found = [next(stream).text for _ in range(40)]
    assert found == [f"{LINES[number % len(LINES)]} {number}" for number in range(1, 41)]
    assert taken <= 40 + 2 * 256  # a lot for the tokenizer, and one more begun
    tracemalloc.start()
    for _ in range(300):
        next(stream)
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(900):
        next(stream)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000  # nothing of what was read is kept


HUGE = """
import json, resource, sys
import numpy as np
from tagline.folder import ModelFolder
from tagline.predict.classifier import Classifier

class Counting:
    name, precision, batch_tokens = "counting", "f32", 1024
    tokens = largest = 0

    def run(self, batches):
        for batch in batches:
            self.tokens += int(batch.attention_mask.sum()) - 2 * len(batch.input_ids)
            self.largest = max(self.largest, batch.input_ids.size)
            yield np.zeros((len(batch.input_ids), 5), np.float32)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

engine = Counting()
classifier = Classifier(ModelFolder.open(sys.argv[1]), engine)
word = chr(0x3C9) * 4 + " "
classifier(word * 10_000)
engine.tokens, before = 0, peak()
answer = classifier(word * 600_000)
json.dump([len(answer.text), engine.tokens, answer.windows, engine.largest, peak() - before], sys.stdout)
"""


def test_a_text_of_three_million_characters(text_folders: TextFolders) -> None:
    """In a process of its own, whose greatest memory tells, the tokenizer's included."""
    command = [sys.executable, "-c", HUGE, str(text_folders("bert-cased", "five", False))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "src"})
    assert done.returncode == 0, done.stderr
    characters, tokens, windows, largest, kilobytes = json.loads(done.stdout)
    assert characters == 3_000_000
    assert tokens >= 600_000  # every word, and what neighbours share
    assert tokens <= 600_000 + windows * (POSITIONS // 8)
    assert 600_000 / (POSITIONS - 2) < windows < 1.2 * 600_000 / (POSITIONS - 2)
    assert largest <= 1024
    assert kilobytes < 100 * 3_000_000 / 1000  # bytes a character


class Forgetful(list[Any]):
    """A list that keeps nothing."""

    def __iadd__(self, _: Any) -> Forgetful:  # type: ignore[misc]
        return self


def test_opening(text_folders: TextFolders, tmp_path: Path) -> None:
    path = text_folders("bert-cased", "five", False)
    settings = EngineSettings(engine="torch", precision="f32", device="cpu", threads=1)
    classifier = Classifier.open(path, settings)
    loaded = load(path, settings)
    assert isinstance(loaded, Classifier)
    assert loaded(LINES) == classifier(LINES)
    with pytest.raises(FolderError, match="does not exist"):
        Classifier.open(tmp_path / "absent")
    folder = classifier.folder
    tokens = ModelFolder(folder.path, Manifest(), folder.config, folder.labels)
    with pytest.raises(FolderError, match="a model for token-classification; expected one for text-classification"):
        Classifier(tokens, Watched(sums(5)))
