"""The columns that answers add to those of an input: their kinds, their Arrow types, and the names that they take."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tagline.data.streams.row import free_name
from tagline.records import Answer, Problem

ENTITIES: Mapping[str, str] = {"entities": "entities"}
"""The column of a tagger's answers."""

KINDS = ("entities", "string", "number", "strings", "scores")
"""What a column holds: a list of entities, a string, a 64-bit float, a list of strings, a list of scored labels."""


def classification_columns(problem: Problem, several: bool = False) -> dict[str, str]:
    """The columns of a classifier's answers (`Classification.fields`), in order, with their kinds.

    Args:
        problem: what is asked of a text.
        several: whether a single-label answer shows more than one label with its score (`top_k` above 1).
    """
    if problem is Problem.REGRESSION:
        return {"score": "number"}
    if problem is Problem.MULTI:
        return {"labels": "strings", "scores": "scores"}
    return {"label": "string", "score": "number"} | ({"scores": "scores"} if several else {})


def check_answers(answers: Mapping[str, str]) -> None:
    """Looks at the names and kinds of answer columns.

    Raises:
        ValueError: there is none, or one of an unknown kind.
    """
    if not answers:
        raise ValueError("the answers have no columns; expected one or more")
    for name, kind in answers.items():
        if kind not in KINDS:
            raise ValueError(f"answer column {name!r} is of the kind {kind!r}; expected one of {', '.join(KINDS)}")


def values_of(answer: Answer, answers: Mapping[str, str]) -> dict[str, Any]:
    """The values of an answer in the order of its columns.

    Raises:
        ValueError: the answer has other columns.
    """
    fields = answer.fields()
    if fields.keys() != answers.keys():
        raise ValueError(f"the answer has the columns {', '.join(fields)}; expected {', '.join(answers)}")
    return {name: fields[name] for name in answers}


def renaming(names: Collection[str], answers: Collection[str]) -> dict[str, str]:
    """Fields of an input whose names the answers take, each with the name that it has in the output.

    A field NAME becomes NAME_input, or NAME_input_2, NAME_input_3, … where that is taken.

    Args:
        names: all fields of the input.
        answers: the names of the answer columns.
    """
    taken = {*names, *answers}
    return {name: free_name(f"{name}_input", taken) for name in answers if name in names}


def described(answers: Mapping[str, str]) -> str:
    """The columns in words, as the journal keeps and shows them: `label (string), score (number)`."""
    return ", ".join(f"{name} ({kind})" for name, kind in answers.items())


def arrow_type(pa: Any, kind: str) -> Any:
    """The Arrow type of a kind of column.

    Args:
        pa: the module `pyarrow`.
        kind: one of `KINDS`.
    """
    text, number, whole = pa.string(), pa.float64(), pa.int64()
    if kind == "string":
        return text
    if kind == "number":
        return number
    if kind == "strings":
        return pa.list_(text)
    places = [("start", whole), ("end", whole), ("text", text)] if kind == "entities" else []
    return pa.list_(pa.struct([("label", text), ("score", number), *places]))
