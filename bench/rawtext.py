"""Raw text against gold words: what a user loses by not splitting the words as the corpus does.

python bench/rawtext.py build/accuracy/conll2003-1 conll2003
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from accuracy import FILES
from common import DATA, as_written, places


def compare(folder: Path, corpus_name: str) -> dict[str, Any]:
    """Strict F1 over characters' spans, from gold words and from raw text, same model, same sentences."""
    from tagline.data.corpus import read_corpus
    from tagline.data.schemes import spans
    from tagline.predict.tagger import Tagger

    corpus = read_corpus(DATA / corpus_name / FILES[corpus_name][2])
    tagger = Tagger.open(folder)
    texts = [as_written(sentence.words) for sentence in corpus.sentences]
    gold, given = [], []
    for sentence, text, document in zip(
        corpus.sentences, texts, tagger.stream_words(each.words for each in corpus.sentences), strict=True
    ):
        where = places(sentence.words, text)
        gold.append({(s.label, where[s.start][0], where[s.end - 1][1]) for s in spans(sentence.tags, corpus.scheme)})
        found = spans(document.tags, tagger.folder.manifest.scheme)
        given.append({(s.label, where[s.start][0], where[s.end - 1][1]) for s in found})
    raw = [{(e.label, e.start, e.end) for e in document} for document in tagger.stream(texts)]
    return {"model": folder.name, "gold_words": f1(gold, given), "raw_text": f1(gold, raw)}


def f1(gold: list[set[Any]], found: list[set[Any]]) -> float:
    """F1 of exact spans, in percent."""
    correct = sum(len(a & b) for a, b in zip(gold, found, strict=True))
    return 200 * correct / (sum(map(len, gold)) + sum(map(len, found)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("corpus", choices=sorted(FILES))
    print(compare(folder=parser.parse_args().folder, corpus_name=parser.parse_args().corpus))
