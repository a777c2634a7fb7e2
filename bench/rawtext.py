"""Raw text against gold words: what a user loses by not splitting the words as the corpus does.

python bench/rawtext.py build/accuracy/conll2003-1 conll2003
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accuracy import FILES
from common import DATA, as_written, places

if TYPE_CHECKING:
    from tagline.data.schemes import Scheme


def compare(folder: Path, corpus_name: str) -> dict[str, Any]:
    """Strict F1 over character spans: from gold words, from raw sentences, from whole raw documents; one model."""
    from tagline.data.corpus import read_corpus
    from tagline.data.schemes import spans
    from tagline.predict.tagger import Tagger

    corpus = read_corpus(DATA / corpus_name / FILES[corpus_name][2])
    tagger = Tagger.open(folder)
    scheme = tagger.folder.manifest.scheme
    texts = [as_written(sentence.words) for sentence in corpus.sentences]
    where = [places(sentence.words, text) for sentence, text in zip(corpus.sentences, texts, strict=True)]

    def spans_of(tags: Sequence[str], place: list[tuple[int, int]], kind: Scheme) -> set[Any]:
        return {(span.label, place[span.start][0], place[span.end - 1][1]) for span in spans(tags, kind)}

    gold = [spans_of(each.tags, place, corpus.scheme) for each, place in zip(corpus.sentences, where, strict=True)]
    words = tagger.stream_words(each.words for each in corpus.sentences)
    given = [spans_of(document.tags, place, scheme) for document, place in zip(words, where, strict=True)]
    raw = [{(e.label, e.start, e.end) for e in document} for document in tagger.stream(texts)]
    articles: dict[int, str] = {}
    wanted: dict[int, set[Any]] = {}
    for sentence, text, entities in zip(corpus.sentences, texts, gold, strict=True):
        before = articles.get(sentence.document, "")
        start = len(before) + 1 if before else 0
        # A headline or a line of a table stands on a line of its own; sentences follow one another.
        between = " " if before.endswith((".", "?", "!", '"')) else "\n"
        articles[sentence.document] = f"{before}{between}{text}" if before else text
        moved = {(label, first + start, last + start) for label, first, last in entities}
        wanted.setdefault(sentence.document, set()).update(moved)
    read = [{(e.label, e.start, e.end) for e in document} for document in tagger.stream(articles.values())]
    return {
        "model": folder.name,
        "gold_words": f1(gold, given),
        "raw_text": f1(gold, raw),
        "documents": f1(list(wanted.values()), read),
    }


def f1(gold: list[set[Any]], found: list[set[Any]]) -> float:
    """F1 of exact spans, in percent."""
    correct = sum(len(a & b) for a, b in zip(gold, found, strict=True))
    return 200 * correct / (sum(map(len, gold)) + sum(map(len, found)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("corpus", choices=sorted(FILES))
    print(compare(folder=parser.parse_args().folder, corpus_name=parser.parse_args().corpus))
