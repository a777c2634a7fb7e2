"""The models behind the app: opened once for all visitors, used by one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import streamlit as st

from tagline.predict import Classifier, Tagger, load
from tagline.records import Classification, Document, Problem


@dataclass(frozen=True)
class OpenModel:
    """A model at work.

    Attributes:
        name: as people see it.
        model: the model.
        turn: held by whoever computes: an engine runs one stream of batches at a time.
    """

    name: str
    model: Tagger | Classifier
    turn: Lock = field(default_factory=Lock)

    @property
    def tags(self) -> bool:
        """Whether it marks entities; else it labels texts."""
        return isinstance(self.model, Tagger)

    @property
    def paired(self) -> bool | None:
        """Whether it reads pairs of texts; None where it reads both."""
        return False if isinstance(self.model, Tagger) else self.model.folder.manifest.paired

    @property
    def problem(self) -> Problem | None:
        """What it is asked of a text; None of entities."""
        return None if isinstance(self.model, Tagger) else self.model.problem

    @property
    def thresholds(self) -> dict[str, float]:
        """From which probability each of several labels is chosen; empty for other problems."""
        if isinstance(self.model, Tagger) or self.model.problem is not Problem.MULTI:
            return {}
        return dict(zip(self.model.labels, self.model.thresholds.tolist(), strict=True))

    def read(self, text: str, pair: str | None) -> Document | Classification:
        """The answer to a text or pair, with every label's score; asked again it comes from memory."""
        return _answer(self, self.name, text, pair)


@st.cache_resource(show_spinner="Opening the model …")
def open_model(name: str, path: str, engine: dict[str, Any]) -> OpenModel:
    """The model of a folder; every visitor gets the same one.

    Raises:
        FolderError: no model folder, or a damaged one.
    """
    return OpenModel(name, load(path, **engine))


@st.cache_data(max_entries=100, show_spinner=False)
def _answer(_open: OpenModel, name: str, text: str, pair: str | None) -> Document | Classification:
    with _open.turn:
        if isinstance(_open.model, Tagger):
            return _open.model(text)
        return _open.model(text if pair is None else (text, pair), top_k=None)
