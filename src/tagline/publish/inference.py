"""The inference form: a folder that only reads text, about a quarter as large as the full one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tagline.data.atomic import atomic_folder
from tagline.engines.runtime import import_openvino
from tagline.errors import FolderError, RefusedError
from tagline.folder import (
    CARD,
    GRAPH,
    GRAPH_WEIGHTS,
    INT8_GRAPH,
    MANIFEST,
    SMALL,
    ModelFolder,
    fingerprint,
    seal,
)
from tagline.publish.card import model_card
from tagline.publish.int8_dynamic import round_weights

FORM = "inference_form"
"""What `Manifest.training` calls the facts about the rounding."""


@dataclass(frozen=True)
class Scores:
    """What the rounding cost on dev.

    Attributes:
        metric: the main figure's name.
        reference: its value in f32, in [0, 1].
        score: its value in int8.
        metrics: of each file that was judged in int8, the report as `tagline evaluate --json` gives it.
    """

    metric: str
    reference: float
    score: float
    metrics: dict[str, Any]

    @property
    def loss(self) -> float:
        """Points of 100; negative where the rounding gains."""
        return 100 * (self.reference - self.score)


def write_inference(
    folder: ModelFolder,
    target: Path,
    judge: Callable[[ModelFolder], Scores] | None = None,
    max_loss: float = 0.2,
    overwrite: bool = False,
) -> Scores | None:
    """Writes the inference form of a model, whole or not at all.

    It holds the tokenizer, `config.json`, `tagline.json`, the card and one OpenVINO graph with weights in int8, which
    runs on any processor: one without int8 products computes with the rounded weights in floating point.

    Args:
        folder: the model, with its OpenVINO graph.
        target: the folder to make.
        judge: scores the unfinished folder; without it nothing is known of the loss, and the card says so.
        max_loss: most points of 100 that may be lost on dev.
        overwrite: replace a folder that is there.

    Returns:
        What the judge found.

    Raises:
        FolderError: the model has no OpenVINO graph, or is such a form already, or is damaged.
        MissingExtraError: nncf is not installed.
        RefusedError: too much is lost; nothing is written.
        OutputError: the target is there already, or cannot be written.
    """
    folder.refuse_if_only_reads("--to inference")
    if not folder.has_graph:
        raise FolderError(
            f"{folder.path}: has no OpenVINO graph, which is rounded. Type: tagline export {folder.path} "
            "--to openvino --sample FILE"
        )
    folder.verify((GRAPH, GRAPH_WEIGHTS, *SMALL))
    scores = None
    with atomic_folder(target, overwrite=overwrite) as place:
        for name in SMALL:
            if folder.has(name):
                shutil.copyfile(folder.path / name, place / name)
        kept = _rounded(folder.path / GRAPH, place / INT8_GRAPH)
        manifest, facts = folder.manifest, _facts(folder, kept)
        seal(place, replace(manifest, metrics={}, parity=[]))
        if judge is not None:
            scores = judge(ModelFolder.open(place))
            facts |= {"metric": scores.metric, "f32": scores.reference, "int8": scores.score, "loss": scores.loss}
            facts["max_loss"] = max_loss
        metrics = {} if scores is None else scores.metrics
        manifest = replace(manifest, metrics=metrics, parity=[], training={**manifest.training, FORM: facts})
        seal(place, manifest)
        (place / CARD).write_text(model_card(manifest, target.name), encoding="utf-8")
        if scores is not None and scores.loss > max_loss + 1e-9:
            raise RefusedError(
                f"the inference form loses {scores.loss:.2f} points of {scores.metric} on dev "
                f"({100 * scores.reference:.2f} in f32, {100 * scores.score:.2f} in int8), --allow is {max_loss:g}; "
                "nothing was written. Allow more, or use the full folder"
            )
    return scores


def _rounded(graph: Path, target: Path) -> tuple[str, ...]:
    openvino = import_openvino()

    return round_weights(openvino.Core().read_model(graph), target)


def _facts(folder: ModelFolder, kept: tuple[str, ...]) -> dict[str, Any]:
    """What is known of the rounding: from what, with what, and the scores of the full model."""
    facts: dict[str, Any] = {"kept_in_f32": list(kept), "nncf": version("nncf")}
    if folder.has(MANIFEST):
        facts["from"] = fingerprint(folder.path / MANIFEST)
    full = {role: _headline(report) for role, report in folder.manifest.metrics.items()}
    return {**facts, "full_precision": full} if full else facts


def _headline(report: dict[str, Any]) -> dict[str, Any]:
    """The main figures of a report."""
    if "strict" in report:
        return {"f1": report["strict"]["f1"]}
    names = ("accuracy", "macro", "micro", "matthews", "exact_match", "spearman", "pearson")
    found = {name: report.get(name) for name in names}
    plain = {name: value["f1"] if isinstance(value, dict) else value for name, value in found.items()}
    return {name: value for name, value in plain.items() if isinstance(value, int | float)}
