"""Reading texts with a trained model: `load` for Tagline's own answers, `pipeline` for the Hugging Face schema."""

from __future__ import annotations

from pathlib import Path

from tagline.engines.base import EngineSettings
from tagline.engines.opening import open_engine
from tagline.folder import TEXT_CLASSIFICATION, ModelFolder
from tagline.predict.classifier import Classifier
from tagline.predict.opening import open_whole
from tagline.predict.tagger import Tagger

__all__ = ["Classifier", "Tagger", "load"]


def load(
    name_or_folder: str | Path, settings: EngineSettings | None = None, **options: str | int | None
) -> Tagger | Classifier:
    """Opens a model for prediction: a `Tagger` or a `Classifier`, by what the folder was trained for.

    Several threads may call it at once. A process that is forked must load it itself.

    Args:
        name_or_folder: a model folder, or a name: of a model that comes with Tagline (`ner-news`), that an installed
            package brings, or of one on the Hugging Face hub (`owner/model`, `owner/model@revision`); see
            `tagline.names.resolve`. A model of transformers is converted when it is first read, which needs torch and
            transformers, and kept in the user's cache.
        settings: engine, precision, device, threads, batch size.
        options: fields of `EngineSettings`, for those who would rather not make one.

    Raises:
        FolderError: no model of that name, no model folder, a damaged one, or one that cannot be converted.
        MissingExtraError: the engine, or the converting, needs an extra that is not installed.
        UsageError: an unknown option, or one out of range.
    """
    from tagline.errors import UsageError

    if settings is not None and options:
        raise UsageError(f"load got settings and also {', '.join(options)}; give one or the other")
    if settings is None:
        accepted = EngineSettings.__dataclass_fields__
        strange = sorted(set(options) - set(accepted))
        if strange:
            raise UsageError(f"load got unknown options {', '.join(strange)}; accepted are {', '.join(accepted)}")
        settings = EngineSettings(**options)  # type: ignore[arg-type]

    def made(folder: ModelFolder) -> Tagger | Classifier:
        kind = Classifier if folder.manifest.task == TEXT_CLASSIFICATION else Tagger
        return kind(folder, open_engine(folder, settings))

    return open_whole(name_or_folder, settings, made)
