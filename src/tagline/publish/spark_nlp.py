"""A folder that Spark NLP loads: `BertForTokenClassification.loadSavedModel(path, spark)` and its sisters."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from tagline.data.atomic import atomic_folder
from tagline.engines.torch import load_model
from tagline.errors import FolderError, MissingExtraError, RefusedError
from tagline.folder import ONNX, TEXT_CLASSIFICATION, TOKENIZER, ModelFolder
from tagline.publish.card_use import shown_by_segments
from tagline.publish.graph import LogitsOf, example_inputs, quiet
from tagline.publish.onnx import unlogged
from tagline.records import Problem
from tagline.text.subtokens import SubTokenizer

OPSET, IR_VERSION, LONGEST = 17, 8, 512
FAMILIES = {"bert": ("Bert", "WordPiece"), "roberta": ("RoBerta", "BPE")}
"""Family → the name in Spark NLP's classes and the kind of its vocabulary."""
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class SparkNlpFacts:
    """What a user of the folder types.

    Attributes:
        annotator: the class of Spark NLP that loads it.
        case_sensitive: for `setCaseSensitive`.
        longest: for `setMaxSentenceLength`; longer texts are cut there.
        activation: of texts: for `setActivation`; otherwise empty.
        difference: largest difference from PyTorch's logits.
    """

    annotator: str
    case_sensitive: bool
    longest: int
    activation: str
    difference: float


def refusals(folder: ModelFolder) -> list[str]:
    """Why Spark NLP would give other answers than Tagline, or none at all; empty where it gives the same."""
    manifest, family = folder.manifest, str(folder.config.get("model_type"))
    if folder.word_level:
        return ["it is a BiLSTM, which Spark NLP does not load from elsewhere; train a BERT or RoBERTa"]
    found = []
    if family not in FAMILIES:
        found.append(f"its family is {family!r}; those that can be written are {', '.join(FAMILIES)}")
    if told := shown_by_segments(manifest):
        found.append(
            f"it reads {told} as segment ids, where Spark NLP sends zeros; train it without them: tagline train …"
            + (" --set shapes=false" if manifest.shapes else "")
            + (" --set train_names=false, no --gazetteer" if manifest.gazetteer else "")
        )
    if manifest.transitions:
        found.append(
            "its CRF decodes whole sentences, Spark NLP takes each word's best tag; train it with --head linear"
        )
    if manifest.paired:
        found.append("it reads pairs of texts, Spark NLP single ones")
    if manifest.task == TEXT_CLASSIFICATION and manifest.problem is Problem.REGRESSION:
        found.append("it gives a number, Spark NLP labels")
    if len(set(manifest.thresholds.values()) | {0.5}) > 1:
        found.append("its labels have thresholds of their own, Spark NLP has one for all (setThreshold)")
    if manifest.window > LONGEST:
        found.append(f"its windows hold {manifest.window} sub-tokens, Spark NLP reads {LONGEST} at most")
    return found


def write_spark_nlp(folder: ModelFolder, target: Path, overwrite: bool = False) -> SparkNlpFacts:
    """Writes `model.onnx` and `assets`, then opens the graph in ONNX Runtime and holds it against PyTorch.

    Raises:
        RefusedError: Spark NLP would give other answers (`refusals`), or the graph does; nothing is written.
        FolderError: the vocabulary is not as Spark NLP needs it.
        MissingExtraError: onnx or onnxruntime is not installed.
        OutputError: the target is there already, or cannot be written.
    """
    reasons = refusals(folder)
    if reasons:
        raise RefusedError(f"{folder.path}: not written for Spark NLP: {'; '.join(reasons)}")
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("writing ONNX graphs", "onnx") from error
    name, kind = FAMILIES[str(folder.config["model_type"])]
    assets = _assets(folder, kind)
    model = load_model(folder).eval()
    with atomic_folder(target, overwrite=overwrite) as work:
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if name == "Bert" else [])]
        _write_graph(model, names, work)
        (work / "assets").mkdir()
        for file, text in assets.items():
            (work / "assets" / file).write_text(text, encoding="utf-8", newline="")
        difference = _check(model, names, work, folder)
    texts = folder.manifest.task == TEXT_CLASSIFICATION
    several = folder.manifest.problem is Problem.MULTI
    return SparkNlpFacts(
        annotator=f"{name}For{'Sequence' if texts else 'Token'}Classification",
        case_sensitive=not SubTokenizer.from_file(folder.path / TOKENIZER).lowercases,
        longest=folder.manifest.window,
        activation=("sigmoid" if several else "softmax") if texts else "",
        difference=difference,
    )


def _assets(folder: ModelFolder, kind: str) -> dict[str, str]:
    """The files of `assets` by name."""
    state = json.loads((folder.path / TOKENIZER).read_text(encoding="utf-8"))["model"]
    if state.get("type") != kind:
        raise FolderError(f"{folder.path}: its vocabulary is {state.get('type')!r}, Spark NLP needs {kind} here")
    vocabulary = Tokenizer.from_file(str(folder.path / TOKENIZER)).get_vocab(with_added_tokens=True)
    pieces = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    wanted = {"WordPiece": ("[CLS]", "[SEP]", "[UNK]", "[PAD]"), "BPE": ("<s>", "</s>", "<unk>", "<pad>")}[kind]
    absent = [piece for piece in wanted if piece not in vocabulary]
    if absent or [vocabulary[piece] for piece in pieces] != list(range(len(pieces))):
        what = f"lacks {', '.join(absent)}" if absent else "has gaps in its ids"
        raise FolderError(f"{folder.path}: its vocabulary {what}; Spark NLP counts lines and needs {', '.join(wanted)}")
    if kind == "WordPiece" and vocabulary["[PAD]"] != 0:
        raise FolderError(f"{folder.path}: [PAD] has id {vocabulary['[PAD]']}; Spark NLP needs it at 0")
    if any("\n" in each or "\r" in each for each in (*pieces, *folder.labels)):
        raise FolderError(f"{folder.path}: a piece or label with a line break in it; Spark NLP reads one a line")
    files = {"vocab.txt": "\n".join(pieces) + "\n", "labels.txt": "\n".join(folder.labels)}
    if kind == "BPE":
        merges = (each if isinstance(each, str) else " ".join(each) for each in state["merges"])
        files["merges.txt"] = "#version: 0.2\n" + "\n".join(merges) + "\n"
    return files


def _write_graph(model: Any, names: list[str], folder: Path) -> None:
    """By torch's older exporter: the newer one writes opset 18 and above, which Spark NLP's runtime may not read."""
    axes: dict[str, dict[int, str]] = {name: {0: "batch", 1: "length"} for name in names}
    with quiet(), unlogged(), torch.no_grad(), warnings.catch_warnings():
        torch.onnx.export(
            LogitsOf(model, names).eval(),
            tuple(example_inputs(names).values()),
            str(folder / ONNX),
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=["logits"],
            dynamic_axes={**axes, "logits": {0: "batch"}},
        )


def _check(model: Any, names: list[str], work: Path, folder: ModelFolder) -> float:
    """Reads back what was written; the largest difference between the logits."""
    import onnx
    import onnxruntime

    graph = onnx.load(work / ONNX)
    session = onnxruntime.InferenceSession(work / ONNX, providers=["CPUExecutionProvider"])
    inputs = [(each.name, each.type, len(each.shape)) for each in session.get_inputs()]
    outputs = [(each.name, each.type) for each in session.get_outputs()]
    versions = [each.version for each in graph.opset_import if each.domain == ""]
    labels = (work / "assets" / "labels.txt").read_text(encoding="utf-8").split("\n")
    right = (
        inputs == [(name, "tensor(int64)", 2) for name in names]
        and all(isinstance(axis, str) for each in session.get_inputs() for axis in each.shape)
        and outputs == [("logits", "tensor(float)")]
        and (versions, graph.ir_version) == ([OPSET], IR_VERSION)
        and tuple(labels) == folder.labels
        and [each.name for each in work.iterdir() if each.is_file()] == [ONNX]
    )
    if not right:
        raise RefusedError(
            f"torch wrote another graph than Spark NLP reads: {inputs} → {outputs}, opset {versions}, IR version "
            f"{graph.ir_version}; nothing was written"
        )
    farthest = 0.0
    chance = np.random.default_rng(1)
    for rows, length in ((1, 3), (1, 17), (3, 32)):
        batch = {
            "input_ids": chance.integers(0, model.config.vocab_size, (rows, length)),
            "attention_mask": np.ones((rows, length), dtype=np.int64),
            "token_type_ids": np.zeros((rows, length), dtype=np.int64),
        }
        batch["attention_mask"][0, length // 2 + 1 :] = 0
        given = {name: batch[name] for name in names}
        ours = session.run(None, given)[0]
        with quiet(), torch.no_grad():
            theirs = model(**{name: torch.from_numpy(array) for name, array in given.items()}).logits.numpy()
        shown = batch["attention_mask"] == 1 if ours.ndim == 3 else slice(None)
        farthest = max(farthest, float(np.abs(ours[shown] - theirs[shown]).max()))
    if not farthest <= _TOLERANCE:
        raise RefusedError(f"the graph differs from PyTorch by {farthest:.2g}; nothing was written")
    return farthest
