"""`tagline export MODEL --to space DIR`: a folder to push to Hugging Face."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared
from tagline.errors import OutputError, UsageError


@dataclass(frozen=True)
class SpaceOptions:
    """Options of a Space alone."""

    examples: Annotated[Path | None, typer.Option(help="Of space: texts to click, one a line.", show_default=False)] = (
        None
    )
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Of hf, inference, space, spark-nlp: replace it.")] = (
        False
    )


def export_space(model: Path, target: Path | None, options: SpaceOptions, json_out: bool) -> None:
    """Writes a Space into `target`."""
    from tagline.app.setup import read_examples
    from tagline.predict.opening import open_model
    from tagline.publish.space import write_space

    if target is None:
        raise UsageError("--to space needs a folder to write; type: tagline export MODEL --to space DIR")
    if options.examples is not None:
        read_examples(options.examples)  # says what is wrong before anything is written
    folder = open_model(model)
    if target.is_dir() and any(target.iterdir()) and not options.overwrite:
        raise OutputError(f"{target}: is a folder that is not empty; choose another, or give --overwrite to replace it")
    write_space(folder, target, options.examples, options.overwrite)
    names = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    names = [name for name in names if not name.startswith((".git/", "tagline/"))]
    if json_out:
        sys.stdout.write(json.dumps({"space": str(target), "files": names}, ensure_ascii=False) + "\n")
        return
    shared.say(f"wrote the Space {target}; try it: cd {target} && streamlit run app.py")
