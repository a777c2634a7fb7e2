"""The model folder as a typed contract: what is in it, how it is read, checked and sealed.

A folder is a Hugging Face folder (`config.json`, `model.safetensors`, `tokenizer.json`, `tokenizer_config.json`,
`README.md`) with the OpenVINO graph that inference runs (`openvino_model.xml`, `openvino_model.bin`) and
`tagline.json`, which says how text becomes words and windows, how emissions become labels, what the model was trained
on and what every file's SHA-256 is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagline.data.schemes import Scheme
from tagline.errors import FolderError
from tagline.names import resolve
from tagline.records import Problem
from tagline.text.words import WordRules

MANIFEST, CONFIG, TOKENIZER = "tagline.json", "config.json", "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
WEIGHTS, GRAPH, GRAPH_WEIGHTS = "model.safetensors", "openvino_model.xml", "openvino_model.bin"
INT8_GRAPH, INT8_WEIGHTS = "openvino_int8.xml", "openvino_int8.bin"
ONNX, ONNX_INT8 = "model.onnx", "model_int8.onnx"
CARD = "README.md"
FORMAT = 1
WORD_LEVEL = "tagline-bilstm"  # `model_type` of the family that reads words instead of sub-tokens
MIXED = "tagline-mixed"  # `model_type` of an encoder whose layers are mixed; `encoder_type` is its family
TOKEN_CLASSIFICATION, TEXT_CLASSIFICATION = "token-classification", "text-classification"
_OF_TOKENS = ("scheme", "bare", "words", "shapes", "characters", "context", "transitions")
_OF_TEXTS = ("problem", "paired", "pooling", "thresholds")
_KINDS: dict[str, Callable[[Any], Any]] = {"words": WordRules.from_dict, "scheme": Scheme, "problem": Problem}
_OFFSET_POSITIONS = (
    "roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm", "data2vec-text", "ibert",
    "longformer", "luke", "mluke", "xmod",
)  # fmt: skip
_HEADS = ("ForTokenClassification", "ForSequenceClassification")


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


@dataclass(frozen=True)
class ModelFolder:
    """An opened model folder.

    Attributes:
        path: the folder.
        manifest: `tagline.json`, or defaults for a plain Hugging Face folder.
        config: `config.json`.
        labels: labels by id.
    """

    path: Path
    manifest: Manifest
    config: dict[str, Any]
    labels: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path) -> ModelFolder:
        """Opens a folder and checks its small files; weights are checked by `verify`.

        Args:
            path: the folder, or the name of a model; see `tagline.names.resolve`.

        Raises:
            FolderError: nothing is there, or it is no model folder, or a file is missing or damaged.
            MissingExtraError: only the hub could have it, and the extra `hub` is not installed.
        """
        path = resolve(path)
        for name in (CONFIG, TOKENIZER):
            if not (path / name).is_file():
                raise FolderError(f"{path}: no model folder ({name} is missing). Give one that tagline train wrote")
        if not (path / MANIFEST).is_file():
            return cls.plain(path)
        manifest = Manifest.from_json(_read_text(path / MANIFEST), path / MANIFEST)
        _verify(path, manifest, (CONFIG, TOKENIZER))
        for name in (GRAPH, GRAPH_WEIGHTS):  # else another engine would be taken in silence
            if name in manifest.files and not (path / name).is_file():
                raise FolderError(f"{path}: {name} is missing. Take the folder anew from where it was made")
        config = _read_json(path / CONFIG)
        _check_task(manifest, config, path)
        labels = _labels(config, path)
        _check_transitions(manifest, len(labels) + 1, path)
        return cls(path, manifest, config, labels)

    @classmethod
    def plain(cls, path: Path) -> ModelFolder:
        """Opens a folder without `tagline.json`, as transformers saves it.

        Raises:
            FolderError: `config.json` is missing or damaged, or is that of a model for something else.
        """
        config = _read_json(path / CONFIG)
        return cls(path, _plain(config, path), config, _labels(config, path))

    @property
    def has_graph(self) -> bool:
        """Whether the OpenVINO graph is there."""
        return self.has(GRAPH, GRAPH_WEIGHTS)

    @property
    def only_reads(self) -> bool:
        """Whether this is the inference form: one graph with rounded weights that reads text, and nothing else."""
        return self.has(INT8_GRAPH, INT8_WEIGHTS) and not self.has_graph and not self.has(WEIGHTS)

    def refuse_if_only_reads(self, what: str) -> None:
        """Raises FolderError for an inference form.

        Args:
            what: what is to be done that needs the weights, as a noun phrase.
        """
        if self.only_reads:
            raise FolderError(
                f"{self.path}: holds the inference form only (one OpenVINO graph with weights in int8), which reads "
                f"text; {what} needs the folder that it was exported from, or train it again"
            )

    @property
    def word_level(self) -> bool:
        """Whether every word is one sub-token (a BiLSTM)."""
        return self.config.get("model_type") == WORD_LEVEL

    @property
    def mixed(self) -> bool:
        """Whether the head reads a mix of layers, which transformers does not know of."""
        return self.config.get("model_type") == MIXED

    def has(self, *names: str) -> bool:
        """Whether these files are there."""
        return all((self.path / name).is_file() for name in names)

    def tokenizer_config(self) -> dict[str, Any]:
        """`tokenizer_config.json`; empty where there is none.

        Raises:
            FolderError: it is damaged.
        """
        path = self.path / TOKENIZER_CONFIG
        return _read_json(path) if path.is_file() else {}

    def verify(self, names: Iterable[str]) -> None:
        """Compares files with their SHA-256 in the manifest.

        Raises:
            FolderError: a file is missing or not as it was written.
        """
        _verify(self.path, self.manifest, names)


def _verify(path: Path, manifest: Manifest, names: Iterable[str]) -> None:
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


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(path: Path, manifest: Manifest) -> None:
    """Writes `tagline.json` with the fingerprints of all other files; the last step of making a folder.

    The card is left out: people edit it.
    """
    files = {each.name: fingerprint(each) for each in sorted(path.iterdir()) if each.is_file()}
    files = {name: digest for name, digest in files.items() if name not in (MANIFEST, CARD)}
    sealed = Manifest(**{**manifest.__dict__, "files": files})
    (path / MANIFEST).write_text(sealed.to_json(), encoding="utf-8")


def positions(config: dict[str, Any]) -> int:
    """Most sub-tokens, special ones included, that a model takes at once; 512 where its configuration does not say."""
    given = next((config[name] for name in ("max_position_embeddings", "n_positions") if config.get(name)), 512)
    count = int(given) if int(given) > 0 else 512
    # Where positions begin after the padding id, two are lost.
    return count - 2 if config.get("encoder_type", config.get("model_type")) in _OFFSET_POSITIONS else count


def longest(config: dict[str, Any], tokenizer_config: dict[str, Any]) -> int:
    """Most sub-tokens of a window for which both the model and its tokenizer were made; 8 at the least."""
    limit = tokenizer_config.get("model_max_length")  # a huge number where the tokenizer does not know
    known = [int(limit)] if isinstance(limit, int | float) and 0 < limit < 1e9 else []
    return max(8, min([positions(config), *known]))


def _plain(config: dict[str, Any], path: Path) -> Manifest:
    """What is known of a Hugging Face folder that Tagline did not train."""
    from tagline.data.schemes import detect
    from tagline.errors import SchemeError

    heads = [str(name) for name in config.get("architectures") or ()]
    if heads and not any(name.endswith(_HEADS) for name in heads) and config.get("model_type") != WORD_LEVEL:
        raise FolderError(
            f"{path}: a model for something else ({', '.join(heads)}); expected one for token or sequence "
            f"classification. To train one from it: tagline train FILE --encoder {path} -o DIR"
        )
    known = path / TOKENIZER_CONFIG
    room = longest(config, _read_json(known) if known.is_file() else {})
    if _is_for_texts(config):
        return Manifest(task=TEXT_CLASSIFICATION, window=room, overlap=room // 8, problem=_problem(config, path))
    try:
        scheme, bare = detect([_labels(config, path)])
    except SchemeError:
        scheme, bare = Scheme.IO, True
    if not bare and scheme is Scheme.IOB1:
        scheme = Scheme.IOB2
    return Manifest(scheme=scheme, bare=bare, window=room, overlap=room // 4)


def _check_task(manifest: Manifest, config: dict[str, Any], path: Path) -> None:
    made_for = TEXT_CLASSIFICATION if _is_for_texts(config) else TOKEN_CLASSIFICATION
    if manifest.task != made_for:
        raise FolderError(
            f"{path}: {MANIFEST} says {manifest.task!r}, but {CONFIG} is that of a model for {made_for}. "
            "Take the folder anew from where it was made"
        )


def _check_transitions(manifest: Manifest, size: int, path: Path) -> None:
    rows = manifest.transitions
    if rows and (len(rows) != size or any(len(row) != size for row in rows)):
        raise FolderError(
            f"{path}: {MANIFEST} holds transitions of {len(rows)} rows, but {CONFIG} has {size - 1} labels, hence "
            f"expected are {size} rows of {size}. Take the folder anew from where it was made"
        )


def _is_for_texts(config: dict[str, Any]) -> bool:
    return any(str(name).endswith("ForSequenceClassification") for name in config.get("architectures") or ())


def _problem(config: dict[str, Any], path: Path) -> Problem:
    """As transformers' pipeline takes it: a single output without a `problem_type` is a probability."""
    named = config.get("problem_type")
    if named:
        try:
            return Problem(named)
        except ValueError:
            known = ", ".join(each.value for each in Problem)
            raise FolderError(f"{path / CONFIG}: problem_type is {named!r}; accepted are {known}") from None
    return Problem.SINGLE if len(_labels(config, path)) > 1 else Problem.MULTI


def _labels(config: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = config.get("id2label")
    if names is None and any("Classification" in str(name) for name in config.get("architectures") or ()):
        # Transformers leaves its own default away.
        names = {str(number): f"LABEL_{number}" for number in range(int(config.get("num_labels") or 2))}
    if not isinstance(names, dict) or not names:
        raise FolderError(f"{path / CONFIG}: no id2label; expected a token- or sequence-classification model")
    try:
        return tuple(str(names[key]) for key in sorted(names, key=int))
    except ValueError as error:
        raise FolderError(f"{path / CONFIG}: id2label has keys that are no numbers: {sorted(names)[:5]}") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{path}: cannot be read ({error}). Take the folder anew from where it was made") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(_read_text(path))
    except ValueError as error:
        raise FolderError(
            f"{path}: damaged, not JSON ({error}). Take the folder anew from where it was made"
        ) from error
    if not isinstance(values, dict):
        raise FolderError(f"{path}: damaged, not a JSON object. Take the folder anew from where it was made")
    return values
