"""Every error that a user can cause, as one tree.

Each message says what was received, what is accepted and what to do. The command line prints the message alone and
leaves with `exit_code`; in Python they are ordinary exceptions.
"""

from __future__ import annotations


class TaglineError(Exception):
    """Base of all errors that Tagline raises on purpose.

    Attributes:
        exit_code: status of the command line that meets this error (2: bad usage or bad input).
    """

    exit_code = 2


class DataError(TaglineError):
    """An annotated or plain input file cannot be read as asked.

    Args:
        message: what stood there and what was expected.
        path: the file, where there is one.
        line: 1-based line (or row) number, where there is one.
    """

    def __init__(self, message: str, path: object | None = None, line: int | None = None) -> None:
        self.path, self.line = path, line
        place = "" if path is None else f"{path}: " if line is None else f"{path}, line {line}: "
        super().__init__(place + message)


class SchemeError(DataError):
    """Tags that belong to no known scheme, or that break the scheme where this was forbidden.

    Args:
        tag: the tag that gave offence, where it is one tag, so that a reader of files can say where it stands.
    """

    def __init__(self, message: str, path: object | None = None, line: int | None = None, tag: str = "") -> None:
        self.tag = tag
        super().__init__(message, path, line)


class LabelError(DataError):
    """A label in dev, test or input that the training data or the model does not have."""


class FolderError(TaglineError):
    """A model folder that is missing, is no model, or is damaged."""


class EncoderError(TaglineError):
    """A pretrained encoder that cannot be found or cannot be used for this task."""


class OutputError(TaglineError):
    """Output that cannot be written: the place exists already, is not writable, or the disk is full."""


class UsageError(TaglineError):
    """Options or arguments that do not fit together or are out of range."""


class RefusedError(TaglineError):
    """The work was done and its result falls under the bound that was set, so nothing was written."""

    exit_code = 1


class MissingExtraError(TaglineError):
    """A part of Tagline needs an extra that is not installed.

    Args:
        purpose: what needs it, as a noun phrase ("training", "reading Parquet").
        extra: the extra's name in `pip install "tagline[extra]"`.
    """

    def __init__(self, purpose: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f'{purpose} needs an extra that is not installed. Type: pip install "tagline[{extra}]"')


class Interrupted(TaglineError):
    """The user stopped the work; what was done is kept and the message says how to go on."""

    exit_code = 130
