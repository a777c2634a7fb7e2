"""Any task's material with teachers beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from tagline.models.encoders import LoadedEncoder
from tagline.records import Problem
from tagline.text.batches import Shown
from tagline.train.dataset import IGNORED, Examples
from tagline.train.distil.loss import DistilLoss
from tagline.train.distil.targets import Targets
from tagline.train.prepared import DevScore, Loss, Prepared
from tagline.train.settings import FitSettings

P = TypeVar("P", bound=Prepared)


@dataclass(frozen=True)
class TaughtExamples:
    """Labelled windows, and behind them windows without labels.

    Attributes:
        own: the labelled ones.
        more: those without.
        teachers: fingerprints of the teachers.
    """

    own: Examples
    more: Sequence[Shown]
    teachers: tuple[str, ...]

    @cached_property
    def windows(self) -> list[Shown]:
        """All windows."""
        return [*self.own.windows, *self.more]

    @cached_property
    def lengths(self) -> list[int]:
        """Sub-tokens of each window."""
        return [*self.own.lengths, *(len(each.ids) for each in self.more)]

    @property
    def learned(self) -> int:
        """Sub-tokens of all windows, those of context left out."""
        return self.own.learned + sum(len(each.ids) for each in self.more)

    def targets(self, rows: Sequence[int], width: int) -> NDArray[Any]:
        """(B, 1 + …) numbers of the windows, then their labels, `IGNORED` for windows without."""
        own = np.asarray(rows, dtype=np.int64) < len(self.own.windows)
        known = self.own.targets([row for row, labelled in zip(rows, own, strict=True) if labelled], width)
        labels = np.full((len(rows), *known.shape[1:]), IGNORED, dtype=known.dtype)
        labels[own] = known
        return np.column_stack((rows, labels))

    def facts(self) -> Iterator[bytes]:
        """Everything that the run learns from, for its fingerprint."""
        yield from self.own.facts()
        for window in self.more:
            yield np.asarray((window.ids, window.types), dtype=np.int64).tobytes()
        yield repr(self.teachers).encode()


@dataclass(frozen=True)
class Taught(Generic[P]):
    """What the fit takes where teachers help.

    Attributes:
        prepared: the student and what it would learn from alone.
        train: its windows and those without labels.
        targets: what the teachers said of all of them.
        problem: how scores are read; words bear one label each.
        settings: weight and temperature.
    """

    prepared: P
    train: TaughtExamples
    targets: Targets
    problem: Problem
    settings: FitSettings

    @property
    def encoder(self) -> LoadedEncoder:
        """The student with its fresh head."""
        return self.prepared.encoder

    @property
    def pad(self) -> int:
        """Id of the padding token."""
        return self.prepared.pad

    @property
    def dev(self) -> Examples | None:
        """Labelled windows, without teachers."""
        return self.prepared.dev

    @property
    def metric(self) -> str:
        """Name of the score on dev."""
        return self.prepared.metric

    @property
    def loss(self) -> Loss:
        """Gold loss and divergence from the teachers."""
        weight, temperature = self.settings.distil_weight, self.settings.distil_temperature
        labelled = len(self.prepared.train.windows)
        return DistilLoss(self.prepared.loss, self.targets, self.problem, labelled, weight, temperature)

    @property
    def identity(self) -> str:
        """That of the student's own material."""
        return self.prepared.identity

    @property
    def files(self) -> dict[str, str]:
        """Those of the student's own material."""
        return self.prepared.files

    def scorer(self) -> DevScore | None:
        """Scores dev while training."""
        return self.prepared.scorer()

    def finish(self, model: PreTrainedModel) -> None:
        """What the task changes at the end."""
        self.prepared.finish(model)
