"""Options of `tagline train` that belong together, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tagline.cli import options as shared
from tagline.cli.distil import Teaching
from tagline.cli.training import read_settings, settings_of
from tagline.errors import DataError, UsageError

if TYPE_CHECKING:
    from tagline.data.corpus import ReadOptions
    from tagline.data.texts.options import TextOptions
    from tagline.train.settings import FitSettings

S = TypeVar("S", bound="FitSettings")

_EPOCHS = "Passes over the training data; 0, the default: as many as make about 2,000 steps, within bounds."


@dataclass(frozen=True)
class Held:
    """Annotated files that nothing is learned from, and whether what they share with the training data is borne."""

    dev: Annotated[Path | None, typer.Option(help="Annotated data that the best epoch is chosen on.")] = None
    test: Annotated[Path | None, typer.Option(help="Annotated data that is looked at once, at the end.")] = None
    allow_leakage: Annotated[
        bool,
        typer.Option("--allow-leakage", help="Report the test score although test texts stand in the training data."),
    ] = False

    def files(self, train: Path) -> dict[str, Path]:
        """All files by role."""
        roles = (("train", train), ("dev", self.dev), ("test", self.test))
        return {role: path for role, path in roles if path is not None}


@dataclass(frozen=True)
class Fit:
    """Settings of a training, and where those come from that have no option."""

    encoder: shared.Encoder = None
    head: Annotated[
        str | None, typer.Option(help="linear, or crf. Default: linear, of bilstm crf.", show_default=False)
    ] = None
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors of word2vec or GloVe, for --encoder bilstm.", show_default=False)
    ] = None
    characters: Annotated[
        int | None, typer.Option(help="Characters of a word that --encoder bilstm reads, e.g. 14.", show_default=False)
    ] = None
    gazetteer: Annotated[
        Path | None,
        typer.Option(help="Names that the model is shown: a kind, a tab and a name a line.", show_default=False),
    ] = None
    epochs: Annotated[int | None, typer.Option(help=_EPOCHS, show_default=False)] = None
    batch_tokens: Annotated[
        int | None, typer.Option(help="Sub-tokens of a step; 0: as many as suit the data.", show_default=False)
    ] = None
    learning_rate: Annotated[float | None, typer.Option(help="Peak rate of the encoder.", show_default=False)] = None
    seed: Annotated[int | None, typer.Option(help="Seed of all that is random.", show_default=False)] = None
    patience: Annotated[
        int | None, typer.Option(help="End after so many epochs without a better score on dev.", show_default=False)
    ] = None
    unknown_tags: Annotated[
        str | None, typer.Option(help="Labels in dev or test that train lacks: error, or miss.", show_default=False)
    ] = None
    settings: shared.Set = None
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            help="JSON or TOML file of settings, as tagline tune writes; other options win over it.",
            show_default=False,
        ),
    ] = None

    def named(self) -> Fit:
        """The options with the encoder's name, wherever that comes from.

        Raises:
            UsageError: the file of settings cannot be read.
        """
        encoder = self.encoder
        if encoder is None and self.settings_file is not None:
            encoder = read_settings(self.settings_file).get("encoder")
        return replace(self, encoder=str(encoder or "minilm"))

    def check_words(self) -> None:
        """Raises UsageError where an encoder that brings its own words is given others."""
        if not str(self.encoder).startswith("bilstm") and (self.vectors is not None or self.characters is not None):
            name = "vectors" if self.vectors is not None else "characters"
            raise UsageError(f"--{name} is for --encoder bilstm, not for {self.encoder!r}; leave one of the two away")

    def of(self, kind: type[S], *others: TextFit | Work) -> S:
        """The settings of a task.

        Raises:
            UsageError: a setting that this task does not have, or a value that it does not take.
        """
        given = {name: value for name, value in vars(self).items() if name not in ("settings", "settings_file")}
        for name in ("vectors", "gazetteer"):
            given[name] = None if given[name] is None else str(given[name])
        for each in others:
            given |= each.given()
        return settings_of(kind, given, self.settings or [], self.settings_file)


@dataclass(frozen=True)
class Reading:
    """How the files are read, whichever task they are for."""

    task: shared.Task = None
    form: shared.Format = None
    columns: shared.WordReading = shared.UNTOLD_WORDS
    strict: shared.Strict = False
    texts: shared.TextReading = shared.UNTOLD
    split: Annotated[
        str | None,
        typer.Option(help="Of texts without --dev: shares of train, dev and test, or none. Default: 80/10/10."),
    ] = None

    def of_texts(self, train: Path) -> bool:
        """Whether the files hold texts with labels, not tagged words.

        Raises:
            UsageError: an unknown task, or options for texts with labels where the task is another.
        """
        given = self.texts.given() or ("--split" if self.split else "")
        return shared.task(self.task, given, train) == shared.TASKS["sequence-classification"]

    def words(self) -> ReadOptions:
        """How tagged words are read."""
        return self.columns.options(self.form, self.strict)

    def labelled(self) -> TextOptions:
        """How texts with labels are read."""
        return self.texts.options(self.form)


@dataclass(frozen=True)
class TextFit:
    """Settings of a training on labelled texts."""

    pooling: Annotated[str | None, typer.Option(help="Windows of a long text: mean or max.", show_default=False)] = None
    class_weights: Annotated[
        str | None, typer.Option(help="Weights of labels: balanced, or spam=2,ham=1.", show_default=False)
    ] = None
    focal_gamma: Annotated[float | None, typer.Option(help="Focal loss; 2 is usual.", show_default=False)] = None
    label_smoothing: Annotated[
        float | None, typer.Option(help="Share of the target spread over all labels.", show_default=False)
    ] = None

    def given(self) -> dict[str, Any]:
        """Settings by name; None: not given."""
        return dict(vars(self))


@dataclass(frozen=True)
class Teachers:
    """Options of distillation."""

    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="Model to learn from beside the labels; several give their mean.", show_default=False),
    ] = None
    unlabelled: Annotated[
        Path | None, typer.Option(help="Texts without labels that the teachers label.", show_default=False)
    ] = None

    def teaching(self) -> Teaching:
        """Who teaches on what; it is found before anything else takes time.

        Raises:
            UsageError: text for teachers, but no teachers.
            FolderError: a teacher is not there.
            MissingExtraError: only the hub could have it, and the extra `hub` is not installed.
            DataError: the text is not there, empty, or a folder.
        """
        from tagline.data.streams.textlines import check_input
        from tagline.names import resolve

        teaching = Teaching(tuple(self.teacher or ()), self.unlabelled)
        for each in teaching.teachers:
            resolve(each)
        if self.unlabelled is not None:
            if not self.unlabelled.exists():
                raise DataError("no such file; give --unlabelled the path of a file of texts", self.unlabelled)
            check_input(self.unlabelled)
        return teaching


@dataclass(frozen=True)
class Work:
    """How the machine works and keeps its log."""

    tracker: Annotated[
        str,
        typer.Option(help="Where the log goes: tensorboard, mlflow (MLFLOW_TRACKING_URI, or mlruns), both or none."),
    ] = "tensorboard"
    precision: Annotated[str | None, typer.Option(help="auto, bf16 or f32.", show_default=False)] = None
    threads: shared.Threads = 0

    def given(self) -> dict[str, Any]:
        """Settings by name; None: not given."""
        return {"precision": self.precision, "threads": self.threads or None}
