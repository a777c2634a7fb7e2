"""The folder of a masked language model, which `tagline train --encoder` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tagline.data.atomic import atomic_folder, settle
from tagline.train.pretrain.fit import Pretrained
from tagline.train.pretrain.trainer import perplexity
from tagline.train.surroundings import quiet

_FACTS = "pretraining.json"


def write_pretrained(made: Pretrained, output: Path, overwrite: bool = False) -> dict[str, Any]:
    """Writes a plain Hugging Face folder: the model with its head for masked sub-tokens, tokenizer, card and facts.

    Args:
        made: what was trained.
        output: the folder; appears whole or not at all.
        overwrite: replace what is there.

    Returns:
        The facts that stand in `pretraining.json`.

    Raises:
        OutputError: it cannot be written.
    """
    facts = facts_of(made)
    with atomic_folder(output, overwrite) as folder, quiet():
        made.model.save_pretrained(folder)
        made.material.tokenizer.save_pretrained(folder)
        (folder / _FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(_card(facts, output.name), encoding="utf-8")
        settle(folder)
    return facts


def facts_of(made: Pretrained) -> dict[str, Any]:
    """What a training came to, JSON-ready."""
    material = made.material
    return {
        **material.facts,
        "model_type": made.model.config.model_type,
        "steps": made.steps,
        "loss": made.loss,
        "perplexity": None if made.loss is None else perplexity(made.loss),
        "by_epoch": made.by_epoch,
        "moved": None if material.moved is None else material.moved.to_dict(),
        "settings": made.settings.to_dict(),
    }


def _card(facts: dict[str, Any], name: str) -> str:
    settings = facts["settings"]
    begun = "from random weights" if settings["from_scratch"] else f"onward from `{settings['encoder']}`"
    judged = (
        "No text was held out, so its loss on unseen text is not known."
        if facts["loss"] is None
        else f"On {facts['held_out_subtokens']:,} held-out sub-tokens its loss on masked ones is {facts['loss']:.4f} "
        f"(perplexity {facts['perplexity']:,.2f})."
    )
    return f"""---
library_name: transformers
pipeline_tag: fill-mask
tags: [tagline]
---

# {name}

A masked language model ({facts["model_type"]}, {facts["parameters"]:,} parameters, {facts["vocabulary"]:,} pieces),
trained {begun} by `tagline pretrain` on {facts["lines"]:,} lines with {facts["subtokens"]:,} sub-tokens, in
{facts["steps"]:,} steps. {judged}

It is meant as an encoder to fine-tune: `tagline train TRAIN --encoder {name} -o MODEL`. Settings and the loss of each
epoch stand in `{_FACTS}`.
"""
