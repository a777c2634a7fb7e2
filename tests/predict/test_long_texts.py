"""Long texts go through the engine part by part: the answer is the same, and little is on the way at once."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagline.folder import ModelFolder
from tagline.predict import tagger as module
from tagline.predict.tagger import SplitText, Tagger
from tagline.records import Batch, Document

NEWS = Path(__file__).resolve().parents[2] / "models" / "ner-news"
SENTENCES = [
    "Steven Mnuchin met Angela Merkel in Berlin.",
    "It rained.",
    "Nobody at Acme Corp. knew why !",
    "OSLO 1996-08-30",
    "",
    "Ana María Pérez , of Rosario Central , scored twice against River Plate in the first half .",
]


class ByToken:
    """Logits of each sub-token are looked up by its id, so that they do not depend on what it is batched with."""

    name, precision, batch_tokens = "by token", "f32", 256

    def __init__(self, labels: int, batches: int = 1_000_000) -> None:
        self.table = np.random.default_rng(3).standard_normal((40_000, labels)).astype(np.float32)
        self.kept, self.sent = batches, list[list[list[int]]]()

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            if len(self.sent) < self.kept:
                self.sent.append(batch.input_ids.tolist())
            yield self.table[batch.input_ids]


def opened(batches: int = 1_000_000, constrained: bool = True) -> Tagger:
    folder = ModelFolder.open(NEWS)
    return Tagger(folder, ByToken(len(folder.labels), batches), constrained)


TAGGERS = [opened(), opened(constrained=False)]
TEXTS = st.lists(st.lists(st.sampled_from(SENTENCES), max_size=8).map(" ".join), max_size=5)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, words=st.integers(1, 30))
def test_the_answer_does_not_depend_on_the_parts(texts: list[str], words: int) -> None:
    for tagger in TAGGERS:
        split = [tagger.split(text) for text in texts]
        whole, scored = tagger(texts), list(tagger.stream_scored(split))
        assert [document for document, _ in scored] == whole
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_PART_WORDS", words)
            assert tagger(texts) == whole
            for (document, one), (_, other) in zip(tagger.stream_scored(split), scored, strict=True):
                assert one.shape == (len(document.tags), len(tagger.folder.labels))
                assert np.array_equal(one, other)
        assert [document.text for document in whole] == texts


def test_batches_begin_anew_after_texts_not_after_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART_WORDS", 5)
    tagger = opened()
    texts = [" ".join(SENTENCES[first:] * 3) for first in range(5)]

    def batches(split: list[SplitText]) -> tuple[list[Document], list[list[list[int]]]]:
        assert isinstance(tagger.engine, ByToken)
        tagger.engine.sent = []
        return list(tagger.stream_split(split, every=2)), tagger.engine.sent

    split = [tagger.split(text) for text in texts]
    documents, sent = batches(split)
    later, rest = batches(split[2:])
    assert later == documents[2:]
    assert 0 < len(rest) < len(sent)
    assert rest == sent[-len(rest) :]


def test_what_is_on_the_way_does_not_grow_with_the_text() -> None:
    """Beyond the answer: its words' places, tags and scores are as many as the text has words."""
    tagger = opened(batches=0)
    assert isinstance(tagger.engine, ByToken)
    tagger.engine.table[:, tagger.folder.labels.index("O")] += 2.5  # entities are few, as in real text
    tagger(" ".join(SENTENCES))

    def passing(sentences: int) -> int:
        text = " ".join(SENTENCES[number % len(SENTENCES)] for number in range(sentences))
        gc.collect()
        tracemalloc.start()
        document = tagger(text)
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(document.tags) == len(document.offsets)
        return peak - kept

    small, large = passing(6_000), passing(24_000)
    words = 18_000 * 39 / 6
    assert (
        0 < large - small < 60 * words
    )  # lists of pointers that become tuples; windows and logits took 200 bytes more
