"""A pipeline taken apart, so that many callers share batches: texts to windows, windows to logits, logits to answers.

What a caller asks for (`settings`) touches how texts are cut and how answers are made, but not the computing between:
windows of any callers may stand in one batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines import EngineSettings, open_engine
from tagline.folder import TOKEN_CLASSIFICATION, ModelFolder
from tagline.predict.chunks import Chunk, Windowed
from tagline.predict.opening import open_whole
from tagline.predict.text_pipeline import TextClassificationPipeline, TextSettings
from tagline.predict.token_pipeline import TokenClassificationPipeline, TokenSettings
from tagline.text.batches import Shown, pad

Logits = NDArray[np.float32]
Settings = TokenSettings | TextSettings
_STEP = 2  # sub-tokens: windows are padded to a multiple; an engine makes itself ready for each shape anew (some ms)


class OpenModel:
    """An opened model of either task. Its methods may be called by several threads at once.

    Args:
        path: a model folder, of Tagline or of Hugging Face, or a name as `tagline.load` takes it.
        options: fields of `EngineSettings`.

    Raises:
        FolderError: no model folder, or a damaged one.
        UsageError: an engine option out of range.
        MissingExtraError: an engine is asked for that is not installed.

    Attributes:
        task: `token-classification` or `text-classification`.
        labels: the model's labels by id (tags with their prefixes).
        engine: name of the engine that runs it.
        precision: what it computes in.
        window: most sub-tokens of a window, special tokens included.
        paired: whether the model reads pairs of texts; None where it is not known.
    """

    def __init__(self, path: str | Path, **options: Any) -> None:
        running = EngineSettings(**options)

        def made(folder: ModelFolder) -> TokenClassificationPipeline | TextClassificationPipeline[Any]:
            engine = open_engine(folder, running)
            if folder.manifest.task == TOKEN_CLASSIFICATION:
                return TokenClassificationPipeline(folder, engine)
            return TextClassificationPipeline(folder, engine)

        pipe = self._pipe = open_whole(path, running, made)
        folder, engine = pipe.folder, pipe.engine
        self._engine = engine
        self._pad = pipe.pad if isinstance(pipe, TokenClassificationPipeline) else pipe.classifier.encoder.pad
        self.task, self.labels = folder.manifest.task, folder.labels
        self.engine, self.precision = engine.name, engine.precision
        self.window, self.paired = folder.manifest.window, folder.manifest.paired

    def settings(self, changes: Mapping[str, Any]) -> Settings:
        """The pipeline's settings with a caller's changes; equal ones are equal and hash alike.

        Raises:
            UsageError: an unknown setting, or one out of range.
        """
        if "ignore_labels" in changes:
            changes = {**changes, "ignore_labels": tuple(changes["ignore_labels"])}
        return self._pipe.changed(dict(changes))  # type: ignore[arg-type]

    def encode(self, inputs: Sequence[Any], settings: Settings) -> list[Windowed]:
        """Texts with their windows.

        Args:
            inputs: texts; lists of words with `is_split_into_words`; texts or mappings with `text` and `text_pair`.
            settings: how they are cut.

        Raises:
            UsageError: something else was given, or settings that the model's window has no room for.
        """
        if isinstance(self._pipe, TokenClassificationPipeline):
            assert isinstance(settings, TokenSettings)
            return list(self._pipe.encode(inputs, settings))
        assert isinstance(settings, TextSettings)
        return list(self._pipe.encode(inputs, settings))

    def run(self, windows: Sequence[Shown]) -> list[Logits]:
        """Logits of windows, computed as one batch: for each (T, L) of its own T sub-tokens, or (L,)."""
        longest = max(len(window.ids) for window in windows)
        least = min(-longest // _STEP * -_STEP, self.window)
        batch = pad([window.ids for window in windows], [window.types for window in windows], self._pad, least)
        (logits,) = self._engine.run([batch])
        if logits.ndim == 2:
            return list(logits)
        return [values[: len(window.ids)] for values, window in zip(logits, windows, strict=True)]

    def answers(self, texts: Sequence[Any], logits: Sequence[list[Logits]], settings: Settings) -> list[Any]:
        """Answers in the pipeline's schema.

        Args:
            texts: as `encode` gave them.
            logits: for each text those of its windows, in order.
            settings: how answers are made.
        """
        chunk = Chunk(list(texts), list(logits))
        if isinstance(self._pipe, TokenClassificationPipeline):
            assert isinstance(settings, TokenSettings)
            return self._pipe.answers(chunk, settings)
        assert isinstance(settings, TextSettings)
        return self._pipe.answers(chunk, settings)

    def warm(self, budget: int) -> None:
        """Runs a few batches of nothing, after which an engine that readies itself on first use is ready."""
        ids = np.full(min(self.window, 32), self._pad, dtype=np.int64)
        for rows in sorted({1, max(1, budget // len(ids))}):
            self.run([_Blank(ids)] * rows)

    @staticmethod
    def shortened(texts: Sequence[Any]) -> int:
        """Sub-tokens of pairs that did not fit their window."""
        return sum(text.sequence.shortened for text in texts if hasattr(text, "sequence"))


class _Blank:
    """A window of padding."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self.ids, self.types = ids, np.zeros_like(ids)
