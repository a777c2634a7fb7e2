"""`tagline export`: the model in another form: for an engine, in int8, for another library, as a Space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.export_graph import GRAPHS, Files, Numbers, export_graph
from tagline.cli.export_inference import InferenceHow, InferenceOptions, export_inference
from tagline.cli.hugging_face import export_hugging_face
from tagline.cli.space import SpaceOptions, export_space
from tagline.cli.spark_nlp import export_spark_nlp
from tagline.errors import UsageError

TARGETS = (*GRAPHS, "hf", "inference", "space", "spark-nlp")
_FOLDERS = TARGETS[len(GRAPHS) :]
"""What is written into a folder of its own."""
_PLAIN = {"hf": export_hugging_face, "spark-nlp": export_spark_nlp}
_FILES, _NUMBERS, _SPACE, _INFERENCE = Files(), Numbers(), SpaceOptions(), InferenceOptions()


def export(
    model: shared.Model,
    to: Annotated[
        str,
        typer.Option(help="What to make: openvino, onnx, int8, hf, inference, space or spark-nlp.", show_default=False),
    ],
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="Of hf, inference, space, spark-nlp: the folder to write.", show_default=False
        ),
    ] = None,
    files: Files = _FILES,
    numbers: Numbers = _NUMBERS,
    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    annotated: shared.EitherReading = shared.UNTOLD_EITHER,
    space: SpaceOptions = _SPACE,
    inference: InferenceOptions = _INFERENCE,
) -> None:
    """Write a model for another engine (openvino, onnx), in int8, as a Space, or in a form that only reads text.

    The graphs go into the model's own folder, with how far all engines agree. The inference form is a folder of its
    own, about a quarter as large, with one graph in int8; a Space is one with the app; spark-nlp is what Spark NLP
    loads; hf is a plain folder of transformers, without Tagline's files.
    """
    if to not in TARGETS:
        raise UsageError(f"--to is {to!r}; accepted are {', '.join(TARGETS)}")
    _refuse_strange(to, target, space, inference)
    if to == "space":
        export_space(model, target, space, json_out)
        return
    if to in _PLAIN:
        _PLAIN[to](model, target, space.overwrite, json_out)
        return
    from tagline.predict.sampling import Reading

    reading = Reading(annotated.columns.options(), annotated.texts.options())
    if to == "inference":
        how = InferenceHow(inference.test, space.overwrite, json_out)
        export_inference(model, target, files, reading, numbers, how)
        return
    export_graph(model, to, files, reading, numbers, json_out)


def _refuse_strange(to: str, target: Path | None, space: SpaceOptions, inference: InferenceOptions) -> None:
    """Raises UsageError for what was typed and belongs to other targets."""
    typed = (
        (f"DIR ({target})", target is not None, _FOLDERS),
        ("--overwrite", space.overwrite, _FOLDERS),
        ("--examples", space.examples is not None, ("space",)),
        ("--test", inference.test is not None, ("inference",)),
    )
    for what, given, meant in typed:
        if given and to not in meant:
            places = ", ".join(f"--to {each}" for each in meant)
            raise UsageError(f"{what} is for {places}, got --to {to}; leave it away")
