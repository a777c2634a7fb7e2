"""Tagline's models in a spaCy pipeline: the factories `tagline_ner` and `tagline_textcat`.

They are entry points of the package, so that `nlp.add_pipe("tagline_ner", config={"model": …})` needs no import.
"""

from __future__ import annotations

import shutil
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from tagline.errors import UsageError
from tagline.predict import Classifier, Tagger, load
from tagline.records import Classification, Document

ALIGNMENTS = ("expand", "contract", "strict")
Model = TypeVar("Model", Tagger, Classifier)


class _Component(Generic[Model]):
    """A model in a pipeline, opened when it first reads a text, so that a saved pipeline brings its own.

    Args:
        name: the component's name in the pipeline.
        model: a model folder or the name of a model.
        options: fields of `EngineSettings`.
    """

    kind: type[Model]

    def __init__(self, name: str, model: str, options: dict[str, Any]) -> None:
        self.name, self.source, self.options = name, model, options
        self._model: Model | None = None

    @property
    def opened(self) -> Model:
        """The model, opened when first asked for; not named `model`, which spaCy asks every component for.

        Raises:
            UsageError: it is for another task.
            FolderError: there is none, or it is damaged.
        """
        if self._model is None:
            model = load(self.source, **self.options)
            if not isinstance(model, self.kind):
                other = "tagline_textcat" if isinstance(model, Classifier) else "tagline_ner"
                raise UsageError(f"{self.source} is a model for {model.folder.manifest.task}; add it as {other}")
            self._model = model
        return self._model

    def __call__(self, doc: Doc) -> Doc:
        """Reads one document."""
        return next(iter(self.pipe([doc])))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Reads documents as they come, in the model's own batches (`batch_tokens`); `batch_size` is not used."""
        waiting: deque[Doc] = deque()

        def texts() -> Iterator[str]:
            for doc in stream:
                waiting.append(doc)
                yield doc.text

        for answer in self._answers(texts()):
            doc = waiting.popleft()
            self._set(doc, answer)
            yield doc

    def _answers(self, texts: Iterator[str]) -> Iterator[Any]:
        raise NotImplementedError

    def _set(self, doc: Doc, answer: Any) -> None:
        raise NotImplementedError

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Copies the model's folder, so that the saved pipeline stands alone."""
        place = Path(path)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.opened.folder.path, place / "model", dirs_exist_ok=True)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> _Component[Model]:
        """Takes the model that lies in a saved pipeline."""
        self.source, self._model = str(Path(path) / "model"), None
        return self


class EntityTagger(_Component[Tagger]):
    """Writes `doc.ents`, and the same spans with their scores as `doc.spans[name]` (`attrs["scores"]`).

    Entities that are set already stay; what overlaps them is left out of `doc.ents`.

    Attributes:
        unaligned: entities so far whose borders are no borders of spaCy's tokens. With `alignment_mode="expand"` they
            grow to whole tokens, with `contract` they shrink, with `strict` they are left out; a warning says so once.
    """

    kind = Tagger

    def __init__(self, name: str, model: str, alignment_mode: str, options: dict[str, Any]) -> None:
        if alignment_mode not in ALIGNMENTS:
            raise UsageError(f"alignment_mode is {alignment_mode!r}; accepted are {', '.join(ALIGNMENTS)}")
        super().__init__(name, model, options)
        self.alignment_mode, self.unaligned = alignment_mode, 0

    def _answers(self, texts: Iterator[str]) -> Iterator[Document]:
        return self.opened.stream(texts)

    def _set(self, doc: Doc, answer: Document) -> None:
        found: list[tuple[Span, float]] = []
        for each in answer.entities:
            span = doc.char_span(each.start, each.end, label=each.label)
            if span is None:
                self._count(each.text)
                span = doc.char_span(each.start, each.end, label=each.label, alignment_mode=self.alignment_mode)
            if span is not None and len(span):
                found.append((span, each.score))
        taken = {token.i for entity in doc.ents for token in entity}
        fresh = [span for span, _ in found if taken.isdisjoint(range(span.start, span.end))]
        doc.ents = [*doc.ents, *filter_spans(fresh)]
        doc.spans[self.name] = [span for span, _ in found]
        doc.spans[self.name].attrs["scores"] = [score for _, score in found]

    def _count(self, text: str) -> None:
        done = {"expand": "widened to whole tokens", "contract": "shrunk to whole tokens", "strict": "left out"}
        if not self.unaligned:
            warnings.warn(
                f"{self.name}: entities that do not fall on spaCy's tokens are {done[self.alignment_mode]}, the first "
                f"is {text!r}; alignment_mode changes this, the component's `unaligned` counts them",
                stacklevel=2,
            )
        self.unaligned += 1


class TextLabeller(_Component[Classifier]):
    """Writes `doc.cats`: every label with its score."""

    kind = Classifier

    def _answers(self, texts: Iterator[str]) -> Iterator[Classification]:
        return self.opened.stream(texts, top_k=None)

    def _set(self, doc: Doc, answer: Classification) -> None:
        doc.cats.update({each.label: each.score for each in answer.scores})


@Language.factory(
    "tagline_ner",
    assigns=["doc.ents", "doc.spans"],
    default_config={"alignment_mode": "expand", "options": {}},
)
def make_ner(nlp: Language, name: str, model: str, alignment_mode: str, options: dict[str, Any]) -> EntityTagger:
    """The factory `tagline_ner`; see `EntityTagger`. `options` are fields of `EngineSettings`."""
    return EntityTagger(name, model, alignment_mode, options)


@Language.factory("tagline_textcat", assigns=["doc.cats"], default_config={"options": {}})
def make_textcat(nlp: Language, name: str, model: str, options: dict[str, Any]) -> TextLabeller:
    """The factory `tagline_textcat`; see `TextLabeller`. `options` are fields of `EngineSettings`."""
    return TextLabeller(name, model, options)
