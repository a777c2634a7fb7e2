"""Graphs for a model's own folder, with a certificate of how far every engine agrees with PyTorch."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.errors import DataError, RefusedError, UsageError

if TYPE_CHECKING:
    from tagline.data.corpus import Corpus
    from tagline.data.texts.corpus import TextCorpus
    from tagline.folder import ModelFolder
    from tagline.predict.parity import Agreement
    from tagline.predict.sampling import Reading, Sample
    from tagline.publish.alone import Look
    from tagline.publish.int8 import Int8Result

GRAPHS = ("openvino", "onnx", "int8")


def export_graph(model: Path, to: str, files: Files, reading: Reading, numbers: Numbers, json_out: bool) -> None:
    """Writes a graph and the certificate into the model's folder.

    Raises:
        UsageError: options that do not go together, or a folder that is not the user's to change.
        RefusedError: an engine agrees too little, or int8 loses too much; nothing is written, but all is shown.
    """
    from tagline import hub
    from tagline.folder import ModelFolder
    from tagline.names import called
    from tagline.predict.losing import check_dev
    from tagline.predict.sampling import unrun
    from tagline.publish.alone import look

    numbers.check()
    seen = look(ModelFolder.open(model).path)  # before the manifest is read that the new one is made of
    folder = ModelFolder.open(model)
    if hub.in_cache(folder.path):
        raise UsageError(
            f"{called(folder.path)} lies in the cache of the Hugging Face hub, which stays as it was fetched; "
            f"copy it and export the copy: cp -rL {folder.path} my-model"
        )
    folder.refuse_if_only_reads(f"--to {to}")
    files.check(to)
    work = _Export(folder, to, numbers, _read(folder, files, reading, numbers), json_out)
    if to == "int8":
        assert work.texts.dev is not None
        for note in check_dev(unrun(folder), work.texts.dev, numbers.max_loss):
            shared.warn(note)
    try:
        work.run(seen)
    except RefusedError:
        work.show(written=False)
        raise
    work.show(written=True)


@dataclass(frozen=True)
class Numbers:
    """Options that are numbers."""

    max_loss: Annotated[
        float,
        typer.Option("--max-loss", "--allow", help="Of int8 and inference: most points of F1 that may be lost on dev."),
    ] = 0.2
    windows: Annotated[int, typer.Option(help="Of int8: windows of text to calibrate on.")] = 300
    min_agreement: Annotated[
        float, typer.Option(help="Least share of words or texts on which an engine agrees with PyTorch (int8: any).")
    ] = 0.995
    texts: Annotated[int, typer.Option("--sample-texts", help="How many texts of the sample to compare on.")] = 2000
    threads: shared.Threads = 0

    def check(self) -> None:
        """Raises UsageError for a number out of range."""
        if not 0 <= self.max_loss <= 100:
            raise UsageError(f"--max-loss is {self.max_loss:g}; expected points from 0 to 100")
        if not 0 <= self.min_agreement <= 1:
            raise UsageError(f"--min-agreement is {self.min_agreement:g}; expected a share from 0 to 1")
        for name, value in (("windows", self.windows), ("sample-texts", self.texts)):
            if value < 1:
                raise UsageError(f"--{name} is {value}; expected at least 1")
        if self.threads < 0:
            raise UsageError(f"--threads is {self.threads}; expected 0 (all cores) or more")


@dataclass(frozen=True)
class Files:
    """Options that are files."""

    sample: Annotated[
        Path | None,
        typer.Option(help="Text to compare the engines on; --dev serves, too, where it is given.", show_default=False),
    ] = None
    calibrate: Annotated[
        Path | None,
        typer.Option(help="Of int8: text that fixes the ranges of activations; else each text finds its own."),
    ] = None
    dev: Annotated[
        Path | None,
        typer.Option(help="Of int8 and inference: annotated file that the loss is measured on.", show_default=False),
    ] = None

    def check(self, to: str) -> None:
        """Raises UsageError for files that are missing or not for this target."""
        if to == "int8" and self.dev is None:
            raise UsageError("--to int8 needs --dev FILE: what int8 loses is measured on an annotated file")
        if to != "int8" and self.calibrate is not None:
            raise UsageError(f"--calibrate is for --to int8, got --to {to}; leave it away")
        if self.sample is None and self.dev is None:
            raise UsageError("no text to compare the engines on; give a file of text of yours with --sample FILE")


@dataclass(frozen=True)
class _Texts:
    """What was read, and what is said of where it comes from."""

    sample: Sample
    about: dict[str, Any]
    calibration: Sample | None
    calibrated_on: dict[str, Any]
    dev: Corpus | TextCorpus | None


def _read(folder: ModelFolder, files: Files, reading: Reading, numbers: Numbers) -> _Texts:
    """Everything is read before anything is computed."""
    from tagline.predict.sampling import read_annotated, read_sample, sample_of, unrun

    model = unrun(folder)
    dev = None if files.dev is None else read_annotated(model, files.dev, reading)
    if files.sample is not None:
        source, sample = files.sample, read_sample(model, files.sample, reading, numbers.texts)
    else:
        assert files.dev is not None
        assert dev is not None
        source, sample = files.dev, sample_of(model, dev, numbers.texts)
        if not len(sample):
            raise DataError("has no text but blank rows; expected at least one with words", files.dev)
    # A text gives a window at least, so that more texts than windows are never needed; four for a spread over the file.
    calibration = files.calibrate and read_sample(model, files.calibrate, reading, 4 * numbers.windows)
    about = {**_file(source), "texts": len(sample)}
    return _Texts(sample, about, calibration or None, (files.calibrate and _file(files.calibrate)) or {}, dev)


def _file(path: Path) -> dict[str, Any]:
    from tagline.folder import fingerprint

    return {"file": path.name, **({"sha256": fingerprint(path)} if path.is_file() else {})}


class _Export:
    """The work itself, and what came out of it."""

    def __init__(self, folder: ModelFolder, to: str, numbers: Numbers, texts: _Texts, json_out: bool) -> None:
        self.folder, self.to, self.numbers, self.texts, self.json_out = folder, to, numbers, texts, json_out
        self.agreements: list[Agreement] = []
        self.int8: Int8Result | None = None
        self.metric = ""
        self.names = self._names()

    def run(self, seen: Look) -> None:
        """Writes the files and the certificate, unless the folder is no longer as it was seen.

        Raises:
            RefusedError: an engine agrees too little, or int8 loses too much; nothing is written.
            OutputError: something else changes the folder, too.
        """
        try:
            import tagline.publish.graph  # noqa: F401 (needs torch and transformers)
            from tagline.publish.amend import amend
        except ImportError as error:
            from tagline.errors import MissingExtraError

            raise MissingExtraError("tagline export", "train") from error
        amend(self.folder.path, self.names, self._write, self._learn, seen)

    def _names(self) -> tuple[str, ...]:
        from tagline.folder import GRAPH, GRAPH_WEIGHTS, INT8_GRAPH, INT8_WEIGHTS, ONNX

        graph = (GRAPH, GRAPH_WEIGHTS)
        if self.to == "int8":
            return (INT8_GRAPH, INT8_WEIGHTS, *(() if self.folder.has_graph else graph))
        return graph if self.to == "openvino" else (ONNX,)

    def _write(self, place: Path) -> None:
        from tagline.engines.torch import load_model
        from tagline.folder import GRAPH
        from tagline.publish.graph import write_graph
        from tagline.publish.onnx import write_onnx

        shared.say(f"writing {self.names[0]}")
        if GRAPH in self.names:
            write_graph(load_model(self.folder), place)
        if self.to == "onnx":
            write_onnx(load_model(self.folder), place)
        if self.to == "int8":
            self._write_int8(place)

    def _write_int8(self, place: Path) -> None:
        from tagline.predict.sampling import calibration_windows
        from tagline.publish.int8 import write_int8
        from tagline.publish.int8_dynamic import write_dynamic_int8

        reference = self._score(place, "f32")
        if self.texts.calibration is None:
            shared.say(f"rounding the weights; {self.metric} in f32 is {100 * reference:.2f}")
            self.int8 = write_dynamic_int8(place, lambda: self._score(place, "int8"), reference, self.numbers.max_loss)
            return
        windows = calibration_windows(self.folder, self.texts.calibration, self.numbers.windows)
        shared.say(f"quantising on {len(windows)} windows; {self.metric} in f32 is {100 * reference:.2f}")
        self.int8 = write_int8(place, windows, lambda: self._score(place, "int8"), reference, self.numbers.max_loss)

    def _score(self, place: Path, precision: str) -> float:
        """The main figure on dev, of a graph in the unfinished folder."""
        from tagline.engines.base import EngineSettings
        from tagline.predict.headline import headline
        from tagline.predict.losing import refuse_worthless

        assert self.texts.dev is not None
        settings = EngineSettings("openvino", precision, "cpu", self.numbers.threads, cache=False)
        self.metric, score, _ = headline(self._unfinished(place), self.texts.dev, settings)
        if precision == "f32":
            refuse_worthless(self.metric, score, self.texts.dev)
        else:
            shared.say(f"{self.metric} in int8 is {100 * score:.2f}")
        return score

    def _unfinished(self, place: Path) -> ModelFolder:
        """The folder in the making, with the fingerprints of the files that it has from the old one."""
        manifest = self.folder.manifest
        files = {name: digest for name, digest in manifest.files.items() if name not in self.names}
        return replace(self.folder, path=place, manifest=replace(manifest, files=files))

    def _learn(self, place: Path) -> dict[str, Any]:
        from tagline.predict.parity import agreements

        shared.say(f"comparing with PyTorch on {len(self.texts.sample):,} texts of {self.texts.about['file']}")
        folder = self._unfinished(place)
        for each in agreements(folder, self.texts.sample, self.numbers.threads, shared.say):
            self.agreements.append(each)
        for each in self.agreements:
            if each.precision != "int8" and each.agreement < self.numbers.min_agreement:
                raise RefusedError(
                    f"{each.engine} in {each.precision} agrees with PyTorch on {100 * each.agreement:.3f} % of "
                    f"{each.count:,} {each.unit}, --min-agreement is {100 * self.numbers.min_agreement:g} %; nothing "
                    "was written"
                )
        return {"parity": self._records()}

    def _records(self) -> list[dict[str, Any]]:
        """The new records; of what cannot be run here the old ones, where the graph is still the same."""
        made = {"openvino": ("openvino", "f32"), "onnx": ("onnx", "f32"), "int8": ("openvino", "int8")}[self.to]
        old = {(each["engine"], each["precision"]): each for each in self.folder.manifest.parity}
        new = {}
        for each in self.agreements:
            key = (each.engine, each.precision)
            new[key] = each.record(self.texts.about)
            if key == made and self.int8 is not None:
                new[key]["dev"] = self._about_int8()
            elif "dev" in old.get(key, {}):
                new[key]["dev"] = old[key]["dev"]
        stale = {made, ("openvino", "bf16")} if self.to == "openvino" else {made}
        return [*new.values(), *(each for key, each in old.items() if key not in new and key not in stale)]

    def _about_int8(self) -> dict[str, Any]:
        from importlib.metadata import version

        assert self.int8 is not None
        facts = {**asdict(self.int8), "loss": self.int8.loss, "given_back": list(self.int8.given_back)}
        return {
            "metric": self.metric, **facts, "max_loss": self.numbers.max_loss, "nncf": version("nncf"),
            "calibration": self.texts.calibrated_on,
        }  # fmt: skip

    def show(self, written: bool) -> None:
        """Prints what came out, whether or not it was good enough."""
        if self.json_out:
            found = {"model": str(self.folder.path), "to": self.to, "written": written}
            about = {} if self.int8 is None else {"int8": self._about_int8()}
            parity = [each.to_dict() for each in self.agreements]
            sys.stdout.write(json.dumps({**found, "sample": self.texts.about, **about, "parity": parity}) + "\n")
            return
        if not self.agreements:
            return
        from rich.console import Console
        from rich.table import Table

        table = Table("engine", "precision", "agreement", "largest difference", "mean difference", "on")
        for each in self.agreements:
            table.add_row(
                each.engine, each.precision, f"{100 * each.agreement:.3f} %", f"{each.largest:.2g}", f"{each.mean:.2g}",
                f"{each.count:,} {each.unit}",
            )  # fmt: skip
        console = Console()
        console.print(table)
        if self.int8 is not None:
            console.print(
                f"int8: {self.metric} {100 * self.int8.score:.2f} on dev, {100 * self.int8.reference:.2f} in f32; "
                f"{len(self.int8.given_back)} layers stay in floating point",
                highlight=False,
            )
        if written:
            console.print(f"wrote {', '.join(self.names)} into {self.folder.path}", highlight=False, soft_wrap=True)
