"""`tagline export MODEL --to spark-nlp DIR`: a folder that Spark NLP loads."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tagline.cli import options as shared
from tagline.errors import MissingExtraError, OutputError, UsageError


def export_spark_nlp(model: Path, target: Path | None, overwrite: bool, json_out: bool) -> None:
    """Writes the folder and says how Spark NLP is to be told of it."""
    from tagline.predict.opening import open_model

    if target is None:
        raise UsageError("--to spark-nlp needs a folder to write; type: tagline export MODEL --to spark-nlp DIR")
    folder = open_model(model)
    try:
        from tagline.publish.spark_nlp import write_spark_nlp
    except ImportError as error:
        raise MissingExtraError("tagline export", "train") from error
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise OutputError(f"{target}: is a folder that is not empty; choose another, or give --overwrite to replace it")
    facts = write_spark_nlp(folder, target, overwrite)
    if json_out:
        sys.stdout.write(json.dumps({"spark_nlp": str(target), **asdict(facts)}) + "\n")
        return
    activation = f'.setActivation("{facts.activation}")' if facts.activation else ""
    shared.say(
        f'wrote {target}; in Spark NLP: {facts.annotator}.loadSavedModel("{target}", spark)'
        f".setCaseSensitive({facts.case_sensitive}).setMaxSentenceLength({facts.longest}){activation}; it cuts longer "
        "texts there, keeps the first piece of each token, and takes each word's best tag"
    )
