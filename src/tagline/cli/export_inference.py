"""`tagline export MODEL --to inference DIR`: a folder that only reads text."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.errors import OutputError, UsageError

if TYPE_CHECKING:
    from tagline.cli.export_graph import Files, Numbers
    from tagline.data.corpus import Corpus
    from tagline.data.texts.corpus import TextCorpus
    from tagline.folder import ModelFolder
    from tagline.predict.sampling import Reading
    from tagline.publish.inference import Scores


@dataclass(frozen=True)
class InferenceOptions:
    """Options of `--to inference`."""

    test: Annotated[
        Path | None, typer.Option(help="Of inference: annotated file whose scores the card gives, too.")
    ] = None


def export_inference(
    model: Path, target: Path | None, files: Files, reading: Reading, numbers: Numbers, how: InferenceHow
) -> None:
    """Writes the inference form into `target`.

    Raises:
        UsageError: options that do not go together.
        RefusedError: too much is lost; nothing is written, but what was found is shown.
    """
    from tagline.folder import ModelFolder
    from tagline.predict.losing import check_dev
    from tagline.predict.sampling import read_annotated, unrun
    from tagline.publish.inference import write_inference

    if target is None:
        raise UsageError("--to inference needs a folder to write; type: tagline export MODEL --to inference DIR")
    if files.sample is not None or files.calibrate is not None:
        raise UsageError("--to inference takes --dev and --test; leave --sample and --calibrate away")
    if how.test is not None and files.dev is None:
        raise UsageError("--test needs --dev FILE, too: what int8 loses is measured there")
    if target.is_dir() and any(target.iterdir()) and not how.overwrite:
        raise OutputError(f"{target}: is a folder that is not empty; choose another, or give --overwrite to replace it")
    numbers.check()
    folder = ModelFolder.open(model)
    named = {"dev": files.dev, "test": how.test}
    corpora = {role: read_annotated(unrun(folder), path, reading) for role, path in named.items() if path is not None}
    if "dev" in corpora:
        for note in check_dev(unrun(folder), corpora["dev"], numbers.max_loss):
            shared.warn(note)
    judge = _Judge(folder, corpora, numbers.threads)
    shared.say(f"rounding the weights of {folder.path}")
    write_inference(folder, target, judge if corpora else None, numbers.max_loss, how.overwrite)
    _show(target, judge.found, how.json_out)


@dataclass(frozen=True)
class InferenceHow:
    """How the folder is written and told of."""

    test: Path | None = None
    overwrite: bool = False
    json_out: bool = False


class _Judge:
    """Dev in f32 and in int8, test in int8."""

    def __init__(self, full: ModelFolder, corpora: dict[str, Corpus | TextCorpus], threads: int) -> None:
        self.full, self.corpora, self.threads = full, corpora, threads
        self.found: Scores | None = None

    def __call__(self, folder: ModelFolder) -> Scores:
        from tagline.engines.base import EngineSettings
        from tagline.predict.headline import headline
        from tagline.predict.losing import refuse_worthless
        from tagline.publish.inference import Scores

        settings = EngineSettings("openvino", "f32", "cpu", self.threads, cache=False)
        metric, reference, _ = headline(self.full, self.corpora["dev"], settings)
        refuse_worthless(metric, reference, self.corpora["dev"])
        shared.say(f"dev: {metric} in f32 is {100 * reference:.2f}")
        metrics, score = {}, 0.0
        for role, corpus in self.corpora.items():
            _, value, report = headline(folder, corpus, replace(settings, precision="int8"))
            shared.say(f"{role}: {metric} in int8 is {100 * value:.2f}")
            metrics[role] = report.to_json()
            score = value if role == "dev" else score
        self.found = Scores(metric, reference, score, metrics)
        return self.found


def _show(target: Path, found: Scores | None, json_out: bool) -> None:
    size = sum(each.stat().st_size for each in target.iterdir() if each.is_file())
    if json_out:
        facts: dict[str, Any] = {"inference": str(target), "bytes": size}
        if found is not None:
            facts |= {"metric": found.metric, "f32": found.reference, "int8": found.score, "loss": found.loss}
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
        return
    lost = "what int8 loses was not measured (--dev FILE)" if found is None else f"int8 loses {found.loss:.2f} points"
    shared.say(f"wrote {target}, {size / 1e6:.1f} MB; {lost}")
