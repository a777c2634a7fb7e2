"""`tagline.pipeline`: answers in the schema of Hugging Face's pipelines."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from tagline.engines import EngineSettings, open_engine
from tagline.errors import UsageError
from tagline.folder import TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION, ModelFolder
from tagline.predict.opening import open_whole
from tagline.predict.options import check_task, refuse_unknown
from tagline.predict.text_pipeline import Score, TextClassificationPipeline, TextOptions, TextSettings
from tagline.predict.token_pipeline import TokenClassificationPipeline, TokenOptions, TokenSettings

TokenTask = Literal["token-classification", "ner"]
TextTask = Literal["text-classification", "sentiment-analysis", "sequence-classification"]
TASKS = {
    TOKEN_CLASSIFICATION: TOKEN_CLASSIFICATION,
    "ner": TOKEN_CLASSIFICATION,
    TEXT_CLASSIFICATION: TEXT_CLASSIFICATION,
    "sentiment-analysis": TEXT_CLASSIFICATION,
    "sequence-classification": TEXT_CLASSIFICATION,
}


class EngineOptions(TokenOptions, total=False):
    """What `pipeline` takes for entities; see `TokenSettings` and `EngineSettings`."""

    engine: str
    precision: str
    device: str
    threads: int
    batch_tokens: int | None


class TextEngineOptions(TextOptions, total=False):
    """What `pipeline` takes for texts, `top_k` aside; see `TextSettings` and `EngineSettings`."""

    engine: str
    precision: str
    device: str
    threads: int
    batch_tokens: int | None


@overload
def pipeline(task: TokenTask, model: str | Path, **options: Unpack[EngineOptions]) -> TokenClassificationPipeline: ...


@overload
def pipeline(
    task: TextTask, model: str | Path, *, top_k: int | None, **options: Unpack[TextEngineOptions]
) -> TextClassificationPipeline[list[Score]]: ...


@overload
def pipeline(
    task: TextTask, model: str | Path, **options: Unpack[TextEngineOptions]
) -> TextClassificationPipeline[Score]: ...


def pipeline(
    task: str, model: str | Path, **options: Any
) -> TokenClassificationPipeline | TextClassificationPipeline[Any]:
    """Opens a model and answers as `transformers.pipeline` does, from Tagline's engines.

    Computed in float32 (`precision="f32"`) the answers are those of `transformers.pipeline` on the same folder, with
    these differences, all meant:

    - Long texts. Hugging Face cuts them at the model's length, or fails, or with `stride` merges overlapping entities.
      Here every text is read whole, in overlapping windows. For entities these are cut between words, and each
      sub-token is scored once, by the window that shows most around it; `index` goes on counting through the text, and
      `stride` may be given with every strategy. The class of a text is that of its windows' pooled logits. Of a pair
      the longer text is shortened, as by `truncation=True`; where that was not asked for, a warning says so.
    - Word shapes. Where a model was trained with word shapes in its segment ids, Hugging Face sends zeros there. Here
      the shapes of the words are sent, so that the answers are the model's real ones.
    - Labels without prefixes keep their hyphens: `work-of-art` is its own group, not `of-art`.
    - A model that Tagline trained on pairs refuses single texts, and the other way round.
    - Pairs for ALBERT. Version 5 of transformers sends its models no segment ids unless `tokenizer_config.json` names
      them; here they are sent, as `tokenizer.json` has them and version 4 did.
    - No answers, rather than an error, for an empty list; lone surrogates are read as U+FFFD. An iterable of any kind
      gives a list; `stream` gives one answer at a time.

    Args:
        task: `token-classification` or `ner`, which is the same; `text-classification`, `sentiment-analysis` or
            `sequence-classification`, which are the same.
        model: a model folder, of Tagline or of Hugging Face, or a name as `tagline.load` takes it.
        options: fields of `TokenSettings` (`aggregation_strategy`, `ignore_labels`, `stride`, `batch_size`,
            `is_split_into_words`, `delimiter`) or of `TextSettings` (`top_k`, `function_to_apply`, `batch_size`,
            `truncation`, `max_length`, `padding`), and of `EngineSettings` (`engine`, `precision`, `device`,
            `threads`, `batch_tokens`).

    Raises:
        UsageError: an unknown task or option, or one out of range.
        FolderError: no model folder, or a damaged one, or one for another task.
        MissingExtraError: the torch engine is needed and torch is not installed.
    """
    if task not in TASKS:
        raise UsageError(f"task is {task!r}; accepted are {', '.join(TASKS)}")
    kind = TokenSettings if TASKS[task] == TOKEN_CLASSIFICATION else TextSettings
    answers = [each.name for each in fields(kind)]
    engines = [each.name for each in fields(EngineSettings)]
    refuse_unknown(options, [*answers, *engines], "pipeline")
    settings = kind(**{name: options[name] for name in answers if name in options})
    running = EngineSettings(**{name: options[name] for name in engines if name in options})

    def made(folder: ModelFolder) -> TokenClassificationPipeline | TextClassificationPipeline[Any]:
        check_task(folder, TASKS[task])
        engine = open_engine(folder, running)
        if isinstance(settings, TokenSettings):
            return TokenClassificationPipeline(folder, engine, settings)
        return TextClassificationPipeline(folder, engine, settings)

    return open_whole(model, running, made)
