"""The model card, written from what is known."""

from __future__ import annotations

from typing import Any

from tagline.folder import Manifest

_HEAD = """---
library_name: tagline
pipeline_tag: {task}
tags:
- tagline
- {task}
- openvino
---
# {name}
"""


def model_card(manifest: Manifest, name: str) -> str:
    """Markdown with the hub's metadata block: task, data, scores, settings, how to use it."""
    training = manifest.training
    lines = [_HEAD.format(task=manifest.task, name=name)]
    lines.append(
        f"Reads text and marks entities. Trained by Tagline {manifest.version} from the encoder "
        f"`{training.get('encoder', {}).get('name', 'unknown')}`"
        f" (family {training.get('encoder', {}).get('family', 'unknown')}); tag scheme {manifest.scheme.value}; "
        f"windows of {manifest.window} sub-tokens, every word scored once.\n"
    )
    lines += ["## Use\n", f'```python\nimport tagline\n\nner = tagline.load("{name}")\nprint(ner("…").entities)\n```\n']
    if manifest.shapes:
        lines.append(
            "Segment ids carry word shapes. `transformers` loads the folder too, but sends zeros as segment ids and so "
            "gives other, usually worse, answers.\n"
        )
    lines += _scores(manifest.metrics)
    lines += _data(training.get("data", {}))
    settings = training.get("settings", {})
    if settings:
        lines += ["## Settings\n", "| setting | value |\n|---|---|"]
        lines += [f"| {key} | {value} |" for key, value in settings.items()]
        lines.append("")
    lines += [
        "## Limits\n",
        "The scores hold for text like the test data. Scores of entities are probabilities of the model, not of the "
        "world; judge the model on your own text before you rely on it.\n",
    ]
    return "\n".join(lines)


def _scores(metrics: dict[str, Any]) -> list[str]:
    if not metrics:
        return []
    lines = ["## Scores\n", "Strict F1 over whole entities, through the folder's own engine.\n"]
    for role, report in metrics.items():
        strict = report["strict"]
        lines.append(f"**{role}**: {report['sentences']} sentences, F1 {100 * strict['f1']:.2f}")
        low, high = report.get("strict_interval", (None, None))
        if low is not None:
            lines[-1] += f" (95 % interval {100 * low:.2f} to {100 * high:.2f})"
        lines += ["", "| type | precision | recall | F1 | support |", "|---|---|---|---|---|"]
        for label, score in [*report["types"].items(), ("all", strict)]:
            lines.append(
                f"| {label} | {100 * score['precision']:.2f} | {100 * score['recall']:.2f} | "
                f"{100 * score['f1']:.2f} | {score['support']} |"
            )
        lines.append("")
    return lines


def _data(data: dict[str, Any]) -> list[str]:
    if not data:
        return []
    lines = ["## Data\n", "| role | file | sentences | SHA-256 |", "|---|---|---|---|"]
    for role, facts in data.items():
        lines.append(f"| {role} | {facts['file']} | {facts['sentences']} | `{facts['sha256'][:16]}…` |")
    return [*lines, ""]
