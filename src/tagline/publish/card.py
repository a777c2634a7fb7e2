"""The model card, written from what is known."""

from __future__ import annotations

from typing import Any

from tagline.folder import TEXT_CLASSIFICATION, Manifest
from tagline.publish.card_metadata import metadata
from tagline.publish.card_use import plain_use, use
from tagline.records import Problem

_HEADLINES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "matthews": "Matthews",
    "exact_match": "exact match",
    "spearman": "Spearman",
    "pearson": "Pearson",
}
_PARITY = "## Agreement of the engines"


def model_card(manifest: Manifest, name: str, plain: bool = False) -> str:
    """Markdown with the hub's metadata block: task, data, scores, settings, how to use it.

    Args:
        manifest: what is known of the model.
        name: what the folder is called.
        plain: whether the folder is one of transformers, without Tagline's files.
    """
    training = manifest.training
    encoder = training.get("encoder", {})
    for_texts = manifest.task == TEXT_CLASSIFICATION
    about = _about_texts(manifest) if for_texts else _about_tokens(manifest)
    lines = [f"{metadata(manifest, name, plain)}# {name}\n"]
    if manifest.foreign:
        lines.append(f"{about[0]} Trained elsewhere with `transformers`; {about[1]}\n")
    else:
        lines.append(
            f"{about[0]} Trained by Tagline {manifest.version} from the encoder `{encoder.get('name', 'unknown')}` "
            f"(family {encoder.get('family', 'unknown')}); {about[1]}\n"
        )
    lines += plain_use(manifest, name) if plain else use(manifest, name)
    if manifest.metrics:
        lines += _text_scores(manifest) if for_texts else _token_scores(manifest.metrics)
    lines += _rounding(training.get("inference_form"))
    lines += _leakage(training.get("leakage", {}))
    lines += _calibration(manifest.calibration)
    lines += _parity(manifest.parity)
    lines += _data(training.get("data", {}), training.get("split"))
    lines += _further(training)
    lines += _teachers(training.get("distillation", {}))
    settings = training.get("settings", {})
    if settings:
        lines += ["## Settings\n", "| setting | value |\n|---|---|"]
        lines += [f"| {key} | {value} |" for key, value in settings.items()]
        lines.append("")
    lines += [
        "## Intended use\n",
        f"{about[0]} For text of the kind and language of the training data, in programs whose answers a person can "
        "check; not for decisions about people made by the model alone.\n",
        "## Limits\n",
        "The scores hold for text like the test data. Scores of answers are probabilities of the model, not of the "
        "world; judge the model on your own text before you rely on it.\n",
    ]
    return "\n".join(lines)


def card_with_parity(card: str | None, manifest: Manifest, name: str) -> str:
    """A card with the table of `manifest.parity`, all else as people left it; a new card where there is none."""
    if card is None:
        return model_card(manifest, name)
    table = "\n".join(_parity(manifest.parity))
    start = card.find(_PARITY)
    if start >= 0:
        end = card.find("\n## ", start)
        return card[:start] + table + ("" if end < 0 else card[end:])
    place = card.find("\n## Limits")
    if place < 0:
        return f"{card.rstrip()}\n\n{table}"
    return f"{card[: place + 1]}{table}{card[place:]}"


def _parity(records: list[dict[str, Any]]) -> list[str]:
    if not records:
        return []
    lines = [
        f"{_PARITY}\n",
        "Held against PyTorch in f32 on a sample of text, on the machine that `tagline.json` names. Differences are of "
        "probabilities.\n",
        "| engine | precision | agreement | largest difference | mean difference | on |\n|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each['engine']} | {each['precision']} | {100 * each['agreement']:.3f} % | {each['largest']:.2g} | "
        f"{each['mean']:.2g} | {each['count']:,} {each['unit']} |"
        for each in records
    ]
    return [*lines, ""]


def _about_tokens(manifest: Manifest) -> tuple[str, str]:
    return (
        "Reads text and marks entities.",
        f"tag scheme {manifest.scheme.value}; windows of {manifest.window} sub-tokens, every word scored once"
        + ("; tags decoded with the transitions of a CRF." if manifest.transitions else "."),
    )


def _about_texts(manifest: Manifest) -> tuple[str, str]:
    what = {
        Problem.SINGLE: "gives each the one label that fits best",
        Problem.MULTI: "gives each all labels that fit",
        Problem.REGRESSION: "gives each a number",
    }[manifest.problem]
    if manifest.paired:
        return f"Reads pairs of texts and {what}.", f"a pair is read in one window of {manifest.window} sub-tokens."
    long = f"long texts are read whole, in windows of {manifest.window} sub-tokens whose logits are pooled"
    return f"Reads texts and {what}.", f"{long} by their {manifest.pooling}."


def _token_scores(metrics: dict[str, Any]) -> list[str]:
    lines = ["## Scores\n", "Strict F1 over whole entities, through the folder's own engine.\n"]
    for role, report in metrics.items():
        strict = report["strict"]
        lines.append(f"**{role}**: {report['sentences']} sentences, F1 {100 * strict['f1']:.2f}")
        lines[-1] += _interval(report.get("strict_interval"))
        lines += ["", "| type | precision | recall | F1 | support |", "|---|---|---|---|---|"]
        lines += [_row(label, score) for label, score in [*report["types"].items(), ("all", strict)]]
        lines.append("")
    return lines


def _text_scores(manifest: Manifest) -> list[str]:
    lines = ["## Scores\n", "Through the folder's own engine; intervals are 95 % bootstraps over texts.\n"]
    for role, report in manifest.metrics.items():
        lines.append(f"**{role}**: {report['texts']} texts")
        for name in _HEADLINES:
            value = report.get(name.removesuffix("_f1"))
            value = value["f1"] if isinstance(value, dict) else value
            if isinstance(value, int | float):
                lines[-1] += f", {_HEADLINES[name]} {100 * value:.2f}"
                lines[-1] += _interval(report.get("intervals", {}).get(name))
        classes = report.get("classes")
        if isinstance(classes, dict):
            lines += ["", "| label | precision | recall | F1 | support |", "|---|---|---|---|---|"]
            lines += [_row(label, score) for label, score in classes.items()]
        lines.append("")
    if manifest.thresholds:
        lines += ["A label is said from these probabilities on, tuned on dev:\n", "| label | threshold |\n|---|---|"]
        lines += [f"| {label} | {value:.3f} |" for label, value in manifest.thresholds.items()]
        lines.append("")
    return lines


def _calibration(facts: dict[str, float]) -> list[str]:
    if not facts:
        return []
    return [
        "## Calibration\n",
        f"The head's weights are divided by the temperature {facts['temperature']:.3f} that fits dev best (Guo et al. "
        "2017), so that scores are near the share of answers that are right; no decision changes. On dev: expected "
        f"calibration error {100 * facts['ece_before']:.2f} % before, {100 * facts['ece_after']:.2f} % after; negative "
        f"log-likelihood {facts['dev_nll_before']:.4f} before, {facts['dev_nll_after']:.4f} after.\n",
    ]


def _rounding(facts: dict[str, Any] | None) -> list[str]:
    """What is known of an inference form's weights."""
    if facts is None:
        return []
    lines = [
        "## Inference form\n",
        "This folder only reads text: one OpenVINO graph, weights in int8 (each row with its own scale), the head and "
        "the table of segments in f32. It can neither be trained onward nor exported to other engines.\n",
    ]
    if "loss" in facts:
        lines.append(
            f"On dev {facts['metric']} is {100 * facts['int8']:.2f}, with all weights in f32 {100 * facts['f32']:.2f}: "
            f"the rounding costs {facts['loss']:.2f} points. The scores above are those of the rounded model.\n"
        )
    else:
        lines.append("What the rounding costs was not measured.\n")
    for role, figures in facts.get("full_precision", {}).items():
        told = ", ".join(f"{name} {100 * value:.2f}" for name, value in figures.items())
        lines.append(f"Before the rounding, {role}: {told}.\n")
    return lines


def _row(label: str, score: dict[str, Any]) -> str:
    figures = " | ".join(f"{100 * score[name]:.2f}" for name in ("precision", "recall", "f1"))
    return f"| {label} | {figures} | {score['support']} |"


def _interval(bounds: Any) -> str:
    if not bounds:
        return ""
    low, high = bounds
    return f" (95 % interval {100 * low:.2f} to {100 * high:.2f})"


def _leakage(facts: dict[str, dict[str, Any]]) -> list[str]:
    """What stands in the training data and was judged, or would have been."""
    lines = []
    for role, each in facts.items():
        follows = "its score above is too good" if each["reported"] else "its score is not reported"
        lines.append(
            f"**The {role} data has leaked into the training data:** {each['same']} of its {each['counted']} examples "
            f"({100 * each['share_of_words']:.1f} % of the words) were trained on; {follows}.\n"
        )
    return lines


def _data(data: dict[str, Any], split: dict[str, Any] | None) -> list[str]:
    if not data:
        return []
    lines = ["## Data\n"]
    if split:
        shares = "/".join(f"{100 * share:g}" for share in split["shares"])
        lines.append(
            f"One file, split {shares} by label with seed {split['seed']}, after {split['duplicates_removed']} "
            "duplicates were removed.\n"
        )
    lines += ["| role | file | examples | SHA-256 of the file |", "|---|---|---|---|"]
    for role, facts in data.items():
        count = facts.get("sentences", facts.get("texts"))
        lines.append(f"| {role} | {facts['file']} | {count} | `{facts['sha256'][:16]}…` |")
    return [*lines, ""]


def _teachers(distillation: dict[str, Any]) -> list[str]:
    if not distillation:
        return []
    unlabelled = distillation.get("unlabelled")
    more = f", and of {unlabelled['texts']:,} texts without labels" if unlabelled else ""
    lines = [
        "## Teachers\n",
        "Beside the labels it learned what these say (Hinton, Vinyals and Dean 2015, Distilling the Knowledge in a "
        f"Neural Network) of the training data{more}.\n",
        "| role | name | SHA-256 | of |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| teacher | {each['model']} | `{each['sha256'][:16]}…` | its `{each['file']}` |"
        for each in distillation["teachers"]
    ]
    if unlabelled:
        lines.append(f"| texts without labels | {unlabelled['file']} | `{unlabelled['sha256'][:16]}…` | the file |")
    return [*lines, ""]


def _further(training: dict[str, Any]) -> list[str]:
    """Files that were read beside annotated text, and what they gave."""
    lines = []
    if vectors := training.get("vectors"):
        lines.append(
            f"Word vectors: `{vectors['file']}` (SHA-256 `{vectors['fingerprint'][:16]}…`); of the training data "
            f"{vectors['coverage']}.\n"
        )
    if names := training.get("names", {}).get("list"):
        lines.append(f"Names: `{names['file']}` (SHA-256 `{names['sha256'][:16]}…`), {names['names']:,} of them.\n")
    return lines
