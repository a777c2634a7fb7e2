"""`config.json` as transformers writes it: for which task the model is, its labels, how much text it takes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tagline.data.schemes import Scheme, detect
from tagline.errors import FolderError, SchemeError
from tagline.folder.files import CONFIG, MANIFEST, TOKENIZER_CONFIG, read_json
from tagline.folder.manifest import TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION, Manifest
from tagline.records import Problem

WORD_LEVEL = "tagline-bilstm"  # `model_type` of the family that reads words instead of sub-tokens
MIXED = "tagline-mixed"  # `model_type` of an encoder whose layers are mixed; `encoder_type` is its family
_OFFSET_POSITIONS = (
    "roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm", "data2vec-text", "ibert",
    "longformer", "luke", "mluke", "xmod",
)  # fmt: skip
_HEADS = ("ForTokenClassification", "ForSequenceClassification")


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


def plain_manifest(config: dict[str, Any], path: Path) -> Manifest:
    """What is known of a Hugging Face folder that Tagline did not train.

    Raises:
        FolderError: its model is for something else, or has no labels.
    """
    heads = [str(name) for name in config.get("architectures") or ()]
    if heads and not any(name.endswith(_HEADS) for name in heads) and config.get("model_type") != WORD_LEVEL:
        raise FolderError(
            f"{path}: a model for something else ({', '.join(heads)}); expected one for token or sequence "
            f"classification. To train one from it: tagline train FILE --encoder {path} -o DIR"
        )
    known = path / TOKENIZER_CONFIG
    room = longest(config, read_json(known) if known.is_file() else {})
    if _is_for_texts(config):
        return Manifest(task=TEXT_CLASSIFICATION, window=room, overlap=room // 8, problem=_problem(config, path))
    try:
        scheme, bare = detect([labels_of(config, path)])
    except SchemeError:
        scheme, bare = Scheme.IO, True
    if not bare and scheme is Scheme.IOB1:
        scheme = Scheme.IOB2
    return Manifest(scheme=scheme, bare=bare, window=room, overlap=room // 4)


def check_task(manifest: Manifest, config: dict[str, Any], path: Path) -> None:
    """Raises FolderError where the manifest and `config.json` are of models for different tasks."""
    made_for = TEXT_CLASSIFICATION if _is_for_texts(config) else TOKEN_CLASSIFICATION
    if manifest.task != made_for:
        raise FolderError(
            f"{path}: {MANIFEST} says {manifest.task!r}, but {CONFIG} is that of a model for {made_for}. "
            "Take the folder anew from where it was made"
        )


def check_transitions(manifest: Manifest, size: int, path: Path) -> None:
    """Raises FolderError where a CRF's transitions are not (size, size), size being the number of labels and one."""
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
    return Problem.SINGLE if len(labels_of(config, path)) > 1 else Problem.MULTI


def labels_of(config: dict[str, Any], path: Path) -> tuple[str, ...]:
    """Labels by id.

    Raises:
        FolderError: there are none.
    """
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
