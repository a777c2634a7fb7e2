"""How far engines and precisions agree with PyTorch in f32, on a sample of text."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines import Engine, EngineSettings, open_engine
from tagline.errors import DataError
from tagline.folder import INT8_GRAPH, INT8_WEIGHTS, ONNX, ONNX_INT8, ModelFolder
from tagline.machine import processor_flags, processor_has_bf16
from tagline.predict.classifier import Classifier
from tagline.predict.sampling import Sample
from tagline.predict.tagger import Tagger
from tagline.records import Problem
from tagline.text.decoding import Decoder
from tagline.text.pooling import probabilities

NEAR = 0.01
"""How far numbers of a regression may lie apart and still agree."""
_PACKAGES = {"openvino": ("openvino",), "onnx": ("onnxruntime",)}


@dataclass(frozen=True)
class Agreement:
    """One engine and precision against PyTorch in f32.

    Attributes:
        engine: `openvino` or `onnx`.
        precision: `f32`, `bf16` or `int8`.
        agreement: share of the words whose tag, or of the texts whose labels, are the same.
        largest: largest difference of a probability (in a regression: of the number), over all words or texts and
            labels.
        mean: mean difference.
        count: how many words or texts.
        unit: `words` or `texts`.
    """

    engine: str
    precision: str
    agreement: float
    largest: float
    mean: float
    count: int
    unit: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def record(self, sample: dict[str, Any]) -> dict[str, Any]:
        """As `tagline.json` keeps it: with the sample, the versions and the processor's instruction sets."""
        names = ("tagline", "torch", "transformers", *_PACKAGES[self.engine])
        return {
            **self.to_dict(),
            "sample": sample,
            "versions": {name: _version(name) for name in names},
            "machine": {"architecture": platform.machine(), "flags": list(processor_flags())},
        }


@dataclass(frozen=True)
class _Answers:
    """Decisions and probabilities of N words or texts: (N,) and (N, L); decisions of several labels are (N, L)."""

    decisions: NDArray[Any]
    scores: NDArray[np.float32]


def runnable(folder: ModelFolder) -> tuple[list[tuple[str, str]], list[str]]:
    """Engines with precisions that a folder can be run with here, and a note for each that it cannot."""
    found, notes = [], []
    if folder.has_graph:
        found.append(("openvino", "f32"))
        if processor_has_bf16():
            found.append(("openvino", "bf16"))
        else:
            notes.append("openvino bf16 is left out: this processor has no bf16")
    if folder.has(INT8_GRAPH, INT8_WEIGHTS):
        found.append(("openvino", "int8"))
    graphs = [(name, precision) for name, precision in ((ONNX, "f32"), (ONNX_INT8, "int8")) if folder.has(name)]
    if graphs and importlib.util.find_spec("onnxruntime") is None:
        notes.append('onnx is left out: onnxruntime is not installed. Type: pip install "tagline[onnx]"')
    else:
        found += [("onnx", precision) for _, precision in graphs]
    return found, notes


class Reference:
    """The answers of PyTorch in f32 to a sample, for others to be held against.

    Args:
        folder: the model folder.
        sample: the texts.
        threads: processor threads; 0 takes the cores there are.

    Raises:
        MissingExtraError: torch is not installed.
        FolderError: the weights are missing or damaged.
    """

    def __init__(self, folder: ModelFolder, sample: Sample, threads: int = 0) -> None:
        self.sample, self.threads = sample, threads
        settings = EngineSettings("torch", "f32", "cpu", threads)
        self._answers = _answers(folder, open_engine(folder, settings), sample)

    def compare(self, folder: ModelFolder, engine: str, precision: str) -> Agreement:
        """One engine and precision against the reference.

        Raises:
            DataError: the sample has nothing in it to agree on.
        """
        settings = EngineSettings(engine, precision, "cpu", self.threads, cache=False)
        found, wanted = _answers(folder, open_engine(folder, settings), self.sample), self._answers
        if folder.manifest.task == "text-classification" and folder.manifest.problem is Problem.REGRESSION:
            same = np.abs(found.decisions - wanted.decisions) <= NEAR
        else:
            same = found.decisions == wanted.decisions
        if same.ndim > 1:
            same = same.all(axis=1)
        if not len(same):
            raise DataError("the sample gives no word to compare on; expected text with words")
        apart = np.abs(found.scores.astype(np.float64) - wanted.scores)
        return Agreement(
            engine=engine,
            precision=precision,
            agreement=float(same.mean()),
            largest=float(apart.max(initial=0.0)),
            mean=float(apart.mean()) if apart.size else 0.0,
            count=len(same),
            unit="words" if self.sample.split else "texts",
        )


def agreements(
    folder: ModelFolder, sample: Sample, threads: int = 0, said: Callable[[str], None] | None = None
) -> Iterator[Agreement]:
    """Everything that the folder can be run with here against PyTorch in f32, one after the other.

    Args:
        folder: the model folder.
        sample: the texts.
        threads: processor threads; 0 takes the cores there are.
        said: is called with a note for what cannot be run here.
    """
    wanted, notes = runnable(folder)
    for note in notes:
        if said is not None:
            said(note)
    reference = Reference(folder, sample, threads)
    for engine, precision in wanted:
        yield reference.compare(folder, engine, precision)


def _answers(folder: ModelFolder, engine: Engine, sample: Sample) -> _Answers:
    if not sample.split:
        return _labels(Classifier(folder, engine), sample)
    tagger = Tagger(folder, engine)
    tagger.decoder = kept = _KeepingDecoder(tagger)
    for _ in tagger.stream_split(sample.split):
        pass
    return _Answers(np.concatenate(kept.best), np.concatenate(kept.scores))


def _labels(classifier: Classifier, sample: Sample) -> _Answers:
    logits = np.stack([each.logits for each in classifier.read(sample.items)])
    scores = probabilities(logits, classifier.problem)
    if classifier.problem is Problem.REGRESSION:
        return _Answers(scores[:, 0], scores)
    if classifier.problem is Problem.MULTI:
        return _Answers(scores >= classifier.thresholds, scores)
    return _Answers(scores.argmax(axis=1), scores)


class _KeepingDecoder(Decoder):
    """The tagger's own decoder, which keeps what it gives: the documents hold only the scores of the tags chosen."""

    def __init__(self, tagger: Tagger) -> None:
        manifest = tagger.folder.manifest
        constrained, learned = tagger.decoder.constrained, manifest.transitions
        super().__init__(tagger.folder.labels, manifest.scheme, manifest.bare, constrained, learned)
        self.best: list[NDArray[np.int64]] = []
        self.scores: list[NDArray[np.float32]] = []

    def __call__(self, emissions: NDArray[np.float32], lengths: Any) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        best, scores = super().__call__(emissions, lengths)
        self.best.append(best)
        self.scores.append(scores)
        return best, scores


def _version(name: str) -> str:
    if name == "tagline":
        from tagline import __version__

        return __version__
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
