"""How long `tagline audit` takes, whether that is linear, and what it finds in the real corpora.

python bench/audit.py
"""

from __future__ import annotations

import json
import string
import time
from pathlib import Path
from typing import Any

from accuracy import FILES as TOKENS
from common import DATA, OUT
from texts import FILES as TEXTS
from texts import reading

ROLES = ("train", "dev", "test")
TIMES = 10  # how much longer the long corpus is


def lengthened(source: Path, target: Path, times: int) -> None:
    """A CoNLL file so many times as long: each copy has other letters and digits, all moved on by as many places.

    So a sentence is no duplicate or near duplicate of its copies (but for lines of punctuation), while every copy keeps
    the lengths, the tags and the likenesses of the original.
    """
    lines = source.read_text("utf-8").split("\n")
    sets = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    with target.open("w", encoding="utf-8") as file:
        for number in range(times):
            moved = "".join(each[number:] + each[:number] for each in sets)
            table = str.maketrans("".join(sets), moved)
            for line in lines:
                word, space, rest = line.partition(" ")
                file.write((line if word == "-DOCSTART-" else word.translate(table) + space + rest) + "\n")


def timed(files: dict[str, Path]) -> dict[str, Any]:
    """One audit from the files to the findings, as the command does it, without the start of Python."""
    from tagline.data.audit.run import audit_corpora
    from tagline.data.corpus import read_corpus
    from tagline.text.vocabulary import EncoderVocabulary

    started, used = time.perf_counter(), time.process_time()
    corpora = {role: read_corpus(path) for role, path in files.items()}
    read = time.perf_counter() - started
    audit = audit_corpora(corpora, EncoderVocabulary.of("minilm"))
    words = sum(len(sentence.words) for corpus in corpora.values() for sentence in corpus.sentences)
    return {
        "words": words, "seconds": time.perf_counter() - started, "read_seconds": read,
        "processor_seconds": time.process_time() - used, "counts": audit.counts,
    }  # fmt: skip


def found() -> dict[str, Any]:
    """What the audit finds in each corpus."""
    from tagline.data.audit.run import audit_corpora
    from tagline.data.corpus import read_corpus
    from tagline.data.texts.reading import read_texts
    from tagline.text.vocabulary import EncoderVocabulary

    vocabulary = EncoderVocabulary.of("minilm")
    results = {}
    for name in (*TOKENS, *TEXTS):
        if name in TOKENS:
            corpora: dict[str, Any] = {
                role: read_corpus(DATA / name / file) for role, file in zip(ROLES, TOKENS[name], strict=True)
            }
        else:
            corpora = {role: read_texts(DATA / name / file, reading(name)) for role, file in TEXTS[name].items()}
        audit = audit_corpora(corpora, vocabulary)
        results[name] = {"counts": audit.counts, "overlaps": [each.to_dict() for each in audit.overlaps]}
    return results


def measure(repeats: int = 3) -> dict[str, Any]:
    """CoNLL-2003 as it is and ten times as long, in turn, and the findings."""
    OUT.mkdir(parents=True, exist_ok=True)
    short = {role: DATA / "conll2003" / file for role, file in zip(ROLES, TOKENS["conll2003"], strict=True)}
    long = {role: OUT / f"conll2003-{TIMES}-{role}.txt" for role in short}
    for role, path in short.items():
        lengthened(path, long[role], TIMES)
    runs: dict[str, list[dict[str, Any]]] = {"CoNLL-2003": [], f"{TIMES} times as long": []}
    for _ in range(repeats):
        for name, files in zip(runs, (short, long), strict=True):
            runs[name].append(timed(files))
    for path in long.values():
        path.unlink()
    return {"runs": runs, "found": found()}


if __name__ == "__main__":
    print(json.dumps(measure(1), indent=1))
