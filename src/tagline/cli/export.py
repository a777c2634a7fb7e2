"""`tagline export`: the model in another form: for an engine, in int8, as a Space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.export_graph import GRAPHS, Files, Numbers, export_graph
from tagline.cli.space import SpaceOptions, export_space
from tagline.errors import UsageError

TARGETS = (*GRAPHS, "space")
_FILES, _NUMBERS, _SPACE = Files(), Numbers(), SpaceOptions()


def export(
    model: shared.Model,
    to: Annotated[str, typer.Option(help="What to make: openvino, onnx, int8 or space.", show_default=False)],
    target: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Of space: the folder to write.", show_default=False)
    ] = None,
    files: Files = _FILES,
    numbers: Numbers = _NUMBERS,
    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    word_column: shared.WordColumn = None,
    tag_column: shared.TagColumn = None,
    scheme: shared.SchemeOption = None,
    texts: shared.TextReading = shared.UNTOLD,
    space: SpaceOptions = _SPACE,
) -> None:
    """Write a model for another engine (openvino, onnx), in int8, or as a Hugging Face Space (space DIR).

    The graphs go into the model's own folder, with how far all engines agree.
    """
    if to not in TARGETS:
        raise UsageError(f"--to is {to!r}; accepted are {', '.join(TARGETS)}")
    if to == "space":
        export_space(model, target, space, json_out)
        return
    if target is not None or space != _SPACE:
        what = f"DIR ({target})" if target is not None else "--examples and --overwrite"
        raise UsageError(f"{what} is for --to space, got --to {to}; leave it away")
    from tagline.predict.sampling import Reading

    tokens = shared.read_options(None, word_column, tag_column, scheme, False)
    export_graph(model, to, files, Reading(tokens, texts.options(None)), numbers, json_out)
