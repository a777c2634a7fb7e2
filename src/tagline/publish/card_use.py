"""How a model is used, as its card says it: by Tagline, by transformers, and where the two differ."""

from __future__ import annotations

from tagline.folder import TEXT_CLASSIFICATION, WORD_LEVEL, Manifest
from tagline.records import Problem


def use(manifest: Manifest, name: str) -> list[str]:
    """The section on the use of a folder of Tagline's."""
    lines = ["## Use\n", f"```python\nimport tagline\n\n{_call(manifest, name)}\n```\n"]
    if "inference_form" in manifest.training:  # without weights nothing but Tagline reads the folder
        return lines
    mixed = manifest.training.get("settings", {}).get("mix_layers")
    bilstm = manifest.training.get("encoder", {}).get("family") == WORD_LEVEL
    refused = bool(mixed or bilstm)
    if told := shown_by_segments(manifest):
        otherwise = (
            " `transformers` loads the folder too, but sends zeros as segment ids and so gives other, usually worse, "
            "answers."
        )
        lines.append(f"Segment ids carry {told}.{'' if refused else otherwise}\n")
    if manifest.context:
        alone = "; `transformers` reads what it is given, alone"
        lines.append(
            f"Each sentence is read with up to {manifest.context} sub-tokens of its document before it and after it"
            f"{'' if refused else alone}.\n"
        )
    if manifest.transitions:
        aside = "; `transformers` leaves them aside and gives the emissions alone"
        lines.append(
            "The CRF's transitions stand in `tagline.json` (and as `crf.transitions` in the weights)"
            f"{'' if refused else aside}.\n"
        )
    if mixed:
        lines.append(
            f"The head reads a learned mix of the {mixed} topmost layers, which `transformers` does not know of: it "
            "refuses the folder. Tagline's engines read it.\n"
        )
    if bilstm:
        lines.append(
            "The encoder is a BiLSTM of Tagline's, which `transformers` does not know of: it refuses the folder. "
            "Tagline's engines read it.\n"
        )
    return lines


def plain_use(manifest: Manifest, name: str) -> list[str]:
    """The section on the use of a plain folder of transformers, made of a model of Tagline's."""
    call = f'pipeline("{manifest.task}", model="{name}"'
    if manifest.task != TEXT_CLASSIFICATION:
        lines = [f'ner = {call}, aggregation_strategy="first")', 'print(ner("…"))']
    elif manifest.paired:
        lines = [f"classify = {call})", 'print(classify({"text": "…", "text_pair": "…"}))']
    elif manifest.problem is Problem.REGRESSION:
        lines = [f'estimate = {call}, function_to_apply="none")', 'print(estimate("…"))']
    else:
        lines = [f"classify = {call})", 'print(classify("…", top_k=None))']
    code = "\n".join(lines)
    found = ["## Use\n", f"```python\nfrom transformers import pipeline\n\n{code}\n```\n"]
    if told := differences(manifest):
        found += ["Where `transformers` answers otherwise than Tagline, whose scores stand below:\n"]
        found += [*(f"- {each}" for each in told), ""]
    return found


def differences(manifest: Manifest) -> list[str]:
    """Why transformers, with the weights and the tokenizer alone, would answer otherwise than Tagline does."""
    found = []
    if told := shown_by_segments(manifest):
        found.append(
            f"The model reads {told} as segment ids; transformers sends zeros as segment ids and so gives other, "
            "usually worse, answers."
        )
    if manifest.context:
        found.append(
            f"The model was trained to read each sentence with up to {manifest.context} sub-tokens of its document on "
            "either side; transformers reads what it is given, alone."
        )
    if manifest.thresholds:
        found.append(
            "Each label has a threshold of its own, tuned on dev; transformers gives the probabilities and leaves the "
            "decision to its caller."
        )
    return found


def shown_by_segments(manifest: Manifest) -> str:
    """What stands in the segment ids; empty where they are 0."""
    told = ["word shapes"] * manifest.shapes + ["the kinds of known names"] * manifest.gazetteer
    return " and ".join(told)


def _call(manifest: Manifest, name: str) -> str:
    if manifest.task != TEXT_CLASSIFICATION:
        return f'ner = tagline.load("{name}")\nprint(ner("…").entities)'
    given = '("…", "…")' if manifest.paired else '"…"'
    wanted = {Problem.SINGLE: "label", Problem.MULTI: "labels", Problem.REGRESSION: "score"}[manifest.problem]
    return f'classify = tagline.load("{name}")\nprint(classify({given}).{wanted})'
