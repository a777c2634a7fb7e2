"""`tagline.json`: what it says, how it is read and sealed, and whether files are as they were when it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagline.data.schemes import Scheme
from tagline.errors import FolderError
from tagline.folder.files import CARD, MANIFEST, fingerprint
from tagline.records import Problem
from tagline.text.words import WordRules

FORMAT = 1
TOKEN_CLASSIFICATION, TEXT_CLASSIFICATION = "token-classification", "text-classification"
_OF_TOKENS = ("scheme", "bare", "words", "shapes", "gazetteer", "characters", "context", "transitions")
_OF_TEXTS = ("problem", "paired", "pooling", "thresholds")
_KINDS: dict[str, Callable[[Any], Any]] = {"words": WordRules.from_dict, "scheme": Scheme, "problem": Problem}


@dataclass(frozen=True)
class Manifest:
    """`tagline.json`.

    Attributes:
        task: `token-classification` or `text-classification`.
        scheme: scheme of the model's tags.
        bare: whether the tags are labels without prefixes.
        words: how raw text is split into words.
        window: most sub-tokens of a window, special tokens included.
        overlap: most sub-tokens that neighbouring windows share.
        shapes: whether segment ids carry word shapes.
        gazetteer: whether segment ids carry the kinds of the names in `gazetteer.json`.
        characters: how many ids of characters follow each word's own (a BiLSTM's); 0: none.
        context: most sub-tokens of neighbouring sentences of a document that a window shows on either side.
        transitions: (L + 1, L + 1) scores of moves [from, to] between tags that a CRF learned, last row the start and
            last column the end of a sentence; empty without a CRF.
        problem: of texts: one label, several labels, or a number (`problem_type` in `config.json`).
        paired: of texts: whether the model reads pairs; None where it is not known.
        pooling: of texts: how the logits of a long text's windows become one, `mean` or `max`.
        thresholds: of several labels: from which probability each is said; 0.5 for those that are not named.
        calibration: the temperature that the head was divided by, with mean negative log-likelihood and expected
            calibration error on dev before and after; empty where none was fitted.
        parity: for each engine and precision that was held against PyTorch in f32, how far they agree, on what text,
            with which versions and on which processor; see `predict.parity`.
        metrics: scores on dev and test, as `tagline evaluate --json` gives them.
        training: settings, seed, data fingerprints and versions; empty for a folder that Tagline did not train.
        files: SHA-256 of the other files.
        foreign: whether Tagline only added files to a folder that transformers made.
        version: Tagline's version that wrote the folder.
    """

    task: str = TOKEN_CLASSIFICATION
    scheme: Scheme = Scheme.IOB2
    bare: bool = False
    words: WordRules = field(default_factory=WordRules)
    window: int = 256
    overlap: int = 63
    shapes: bool = False
    gazetteer: bool = False
    characters: int = 0
    context: int = 0
    transitions: list[list[float]] = field(default_factory=list)
    problem: Problem = Problem.SINGLE
    paired: bool | None = None
    pooling: str = "mean"
    thresholds: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    parity: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    foreign: bool = False
    version: str = ""

    @property
    def ours(self) -> bool:
        """Whether Tagline made the folder; another is read as transformers reads it."""
        return bool(self.files) and not self.foreign

    def to_json(self) -> str:
        """The file's text."""
        values = {"format": FORMAT, **asdict(self), "scheme": self.scheme.value, "words": self.words.to_dict()}
        values["problem"] = self.problem.value
        for name in _OF_TEXTS if self.task == TOKEN_CLASSIFICATION else _OF_TOKENS:
            del values[name]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, path: Path) -> Manifest:
        """Reads the file's text.

        Raises:
            FolderError: it is no manifest, or one of a later Tagline.
        """
        try:
            values = json.loads(text)
            number = values.pop("format")
            if number == FORMAT:
                for name, kind in _KINDS.items():
                    if name in values:
                        values[name] = kind(values[name])
                return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FolderError(f"{path}: damaged ({error!r}). Take the folder anew from where it was made") from error
        raise FolderError(f"{path}: format {number}, this Tagline reads format {FORMAT}. Type: pip install -U tagline")


def verify(path: Path, manifest: Manifest, names: Iterable[str]) -> None:
    """Compares files with their SHA-256 in the manifest.

    Raises:
        FolderError: a file is missing or not as it was written.
    """
    for name in names:
        expected = manifest.files.get(name)
        if expected is None:
            continue
        if not (path / name).is_file():
            raise FolderError(f"{path}: {name} is missing. Take the folder anew from where it was made")
        found = fingerprint(path / name)
        if found != expected:
            raise FolderError(
                f"{path / name}: damaged (SHA-256 {found[:12]}…, expected {expected[:12]}…). "
                "Take the folder anew from where it was made, or train again"
            )


def seal(path: Path, manifest: Manifest) -> None:
    """Writes `tagline.json` with the fingerprints of all other files; the last step of making a folder.

    The card is left out: people edit it.
    """
    files = {each.name: fingerprint(each) for each in sorted(path.iterdir()) if each.is_file()}
    files = {name: digest for name, digest in files.items() if name not in (MANIFEST, CARD)}
    sealed = Manifest(**{**manifest.__dict__, "files": files})
    (path / MANIFEST).write_text(sealed.to_json(), encoding="utf-8")
