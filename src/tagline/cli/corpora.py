"""Reading annotated files of either task, as the commands about data do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagline.cli import options as shared
from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.data.audit.parts import AnyCorpus
    from tagline.text.vocabulary import EncoderVocabulary


@dataclass(frozen=True)
class Reading:
    """Options of both readers, as they were typed.

    Attributes:
        task: the task by its name; None tells it by the first file.
        form: format; None tells it by the name of each file.
        words: options of token corpora.
        texts: options of labelled texts.
    """

    task: shared.Task = None
    form: shared.Format = None
    words: shared.WordReading = shared.UNTOLD_WORDS
    texts: shared.TextReading = shared.UNTOLD

    def read(self, files: Mapping[str, Path]) -> dict[str, AnyCorpus]:
        """Reads files of one task, by whatever name each of them has.

        Raises:
            UsageError: options of one task for files of the other.
        """
        from tagline.data.corpus import read_corpus
        from tagline.data.texts.reading import read_texts
        from tagline.text.words import WordSplitter

        task = shared.task(self.task, self.texts.given(), next(iter(files.values())))
        if task == "token-classification":
            options = self.words.options(self.form)
            splitter = WordSplitter()
            return {name: read_corpus(path, options, splitter) for name, path in files.items()}
        if given := self.words.given():
            raise UsageError(f"{given} is for tagged words, but the files hold labelled texts")
        text_options = self.texts.options(self.form)
        corpora = {name: read_texts(path, text_options) for name, path in files.items()}
        for corpus in corpora.values():
            for note in corpus.notes:
                shared.say(f"{corpus.path}: {note}")
        return dict(corpora)


BY_COLUMNS = Reading()
"""Nothing was typed: the files tell how they are read."""


def vocabulary(encoder: str) -> EncoderVocabulary | None:
    """The encoder's vocabulary; where minilm is not installed, says that its figures are left out."""
    from tagline.text.vocabulary import EncoderVocabulary

    found = EncoderVocabulary.of(encoder)
    if found is None:
        shared.say(
            "minilm is not installed, so what needs its vocabulary is left out; "
            'type: pip install "tagline[train]", or give --encoder FOLDER'
        )
    return found
