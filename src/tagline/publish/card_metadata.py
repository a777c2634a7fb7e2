"""The metadata block of a model card, as the hub reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tagline.folder import Manifest

# The hub's name of a metric, and where a report has it: in `tagline evaluate --json` of tokens, and of texts.
_OF_TOKENS = {"precision": "precision", "recall": "recall", "f1": "f1"}
_OF_TEXTS = {
    "accuracy": ("accuracy", "accuracy"),
    "macro": ("f1", "macro F1"),
    "micro": ("f1", "micro F1"),
    "matthews": ("matthews_correlation", "Matthews"),
    "spearman": ("spearmanr", "Spearman"),
    "pearson": ("pearsonr", "Pearson"),
}


def metadata(manifest: Manifest, name: str, plain: bool = False) -> str:
    """The block between its `---`, with `model-index` where scores are known; `plain` for a folder of transformers.

    The values are written as JSON, which YAML contains.
    """
    results = [result for role, report in manifest.metrics.items() for result in _results(manifest, role, report)]
    lines = [
        "---",
        f"library_name: {'transformers' if plain else 'tagline'}",
        f"pipeline_tag: {manifest.task}",
        "tags:",
    ]
    lines += [f"- {tag}" for tag in ("tagline", manifest.task, *(() if plain else ("openvino",)))]
    if results:
        kinds = sorted({metric["type"] for result in results for metric in result["metrics"]})
        index = [{"name": name, "results": results}]
        lines += [f"metrics: {json.dumps(kinds)}", f"model-index: {json.dumps(index, ensure_ascii=False)}"]
    return "\n".join([*lines, "---", ""])


def _results(manifest: Manifest, role: str, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    metrics = list(_metrics(report))
    if metrics:
        data = manifest.training.get("data", {}).get(role, {})
        dataset = {"name": data.get("file", role), "type": "custom", "split": role}
        yield {"task": {"type": manifest.task}, "dataset": dataset, "metrics": metrics}


def _metrics(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "strict" in report:
        for kind, key in _OF_TOKENS.items():
            yield {"type": kind, "value": report["strict"][key], "name": f"strict {kind} over whole entities"}
        return
    for key, (kind, called) in _OF_TEXTS.items():
        value = report.get(key)
        value = value.get("f1") if isinstance(value, dict) else value
        if isinstance(value, int | float):
            yield {"type": kind, "value": value, "name": called}
