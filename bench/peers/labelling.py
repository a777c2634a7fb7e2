"""Labels and F1 of each precision against PyTorch in f32, on CoNLL-2003 test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from common import DATA
from peers.measuring import Asked


def labels(asked: Asked) -> dict[str, Any]:
    """Share of words whose tag changes, the largest change of a probability, and strict F1."""
    from tagline.data.corpus import read_corpus
    from tagline.engines import EngineSettings, open_engine
    from tagline.folder import ModelFolder
    from tagline.machine import processor_has_bf16
    from tagline.predict.judging import judge
    from tagline.predict.parity import Reference
    from tagline.predict.sampling import sample_of
    from tagline.predict.tagger import Tagger

    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    if asked.limit:
        corpus = replace(corpus, sentences=corpus.sentences[: asked.limit])
    plain = ModelFolder.open(asked.model)

    def opened(folder: ModelFolder, engine: str, precision: str) -> Tagger:
        return Tagger(folder, open_engine(folder, EngineSettings(engine, precision, "cpu", asked.threads)))

    def f1(tagger: Tagger) -> float:
        return float(judge(tagger, corpus).report.to_json()["strict"]["f1"])

    first = opened(plain, "torch", "f32")
    reference = Reference(plain, sample_of(first, corpus, len(corpus.sentences)), asked.threads)
    found: dict[str, Any] = {"torch f32": {"f1": f1(first)}}
    copy = asked.int8()
    folders = [("f32", plain), *([("bf16", plain)] if processor_has_bf16() else [])]
    if copy is not None:
        folders.append(("int8", ModelFolder.open(copy)))
    for precision, folder in folders:
        agreement = reference.compare(folder, "openvino", precision)
        found[f"openvino {precision}"] = {
            "changed": 1.0 - agreement.agreement, "largest": agreement.largest, "words": agreement.count,
            "f1": f1(opened(folder, "openvino", precision)),
        }  # fmt: skip
    return found
