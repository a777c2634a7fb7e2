"""`tagline export MODEL --to hf DIR`: a plain Hugging Face folder."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tagline.cli import options as shared
from tagline.errors import MissingExtraError, OutputError, UsageError


def export_hugging_face(model: Path, target: Path | None, overwrite: bool, json_out: bool) -> None:
    """Writes the folder; warns where transformers answers otherwise than Tagline."""
    from tagline.engines.base import EngineSettings
    from tagline.predict.opening import open_model

    if target is None:
        raise UsageError("--to hf needs a folder to write; type: tagline export MODEL --to hf DIR")
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise OutputError(f"{target}: is a folder that is not empty; choose another, or give --overwrite to replace it")
    try:
        from tagline.publish.hugging_face import write_hugging_face
    except ImportError as error:
        raise MissingExtraError("tagline export", "train") from error
    folder = open_model(model, EngineSettings("torch"))  # without a graph, which is not needed
    facts = write_hugging_face(folder, target, overwrite)
    for each in facts.differences:
        shared.warn(each)
    if json_out:
        sys.stdout.write(json.dumps({"hf": str(target), **asdict(facts)}) + "\n")
        return
    shared.say(f'wrote {target}; in transformers: {facts.loader}.from_pretrained("{target}")')
