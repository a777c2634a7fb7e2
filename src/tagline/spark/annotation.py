"""Spark NLP's annotation: one stretch of text with what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Row
from pyspark.sql.types import (
    ArrayType,
    FloatType,
    IntegerType,
    MapType,
    StringType,
    StructField,
    StructType,
)

DOCUMENT, TOKEN, NAMED_ENTITY, CHUNK, CATEGORY = "document", "token", "named_entity", "chunk", "category"
FIELDS = ("annotatorType", "begin", "end", "result", "metadata", "embeddings")


class Annotation:
    """What a stage says of a stretch of text.

    Attributes:
        annotatorType: `document`, `token`, `named_entity`, `chunk` or `category`.
        begin: first character, counted from 0 in code points (as Python and Spark SQL count).
        end: last character, inclusive; `begin - 1` for an empty text.
        result: the text itself, the tag or the label.
        metadata: more about it, as strings.
        embeddings: empty; there for the schema.
    """

    def __init__(
        self,
        annotatorType: str,
        begin: int,
        end: int,
        result: str,
        metadata: Mapping[str, str],
        embeddings: Sequence[float] = (),
    ) -> None:
        self.annotatorType, self.begin, self.end, self.result = annotatorType, begin, end, result
        self.metadata, self.embeddings = dict(metadata), list(embeddings)

    def __repr__(self) -> str:
        return f"Annotation({self.annotatorType}, {self.begin}, {self.end}, {self.result}, {self.metadata})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Annotation) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.annotatorType, self.begin, self.end, self.result))

    def copy(self, result: str) -> Annotation:
        """The same with another result."""
        return Annotation(self.annotatorType, self.begin, self.end, result, self.metadata, self.embeddings)

    @staticmethod
    def dataType() -> StructType:
        """The Spark type of one annotation."""
        kinds = (StringType(), IntegerType(), IntegerType(), StringType(), MapType(StringType(), StringType()))
        fields = [*zip(FIELDS, kinds, strict=False), (FIELDS[-1], ArrayType(FloatType()))]
        return StructType([StructField(name, kind) for name, kind in fields])

    @staticmethod
    def arrayType() -> ArrayType:
        """The Spark type of a column of annotations."""
        return ArrayType(Annotation.dataType())

    @staticmethod
    def fromRow(row: Any) -> Annotation:
        """An annotation from a row of its type."""
        return Annotation(row.annotatorType, row.begin, row.end, row.result, row.metadata, row.embeddings)

    @staticmethod
    def toRow(annotation: Annotation) -> Row:
        """The inverse of `fromRow`."""
        return Row(**{name: getattr(annotation, name) for name in FIELDS})
