"""The same models on Apache Spark: Spark NLP's pipeline stages on plain PySpark, and functions for DataFrames and SQL.

    from pyspark.ml import Pipeline
    from tagline.spark import BertForTokenClassification, DocumentAssembler, NerConverter, Tokenizer

How models come to the executors, and what else a cluster needs, is told in docs/spark.md.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tagline.errors import MissingExtraError

if TYPE_CHECKING:
    from tagline.spark.annotation import Annotation
    from tagline.spark.assembling import DocumentAssembler
    from tagline.spark.classifiers import SequenceClassifier, TokenClassifier
    from tagline.spark.converting import NerConverter
    from tagline.spark.families import (
        AlbertForSequenceClassification,
        AlbertForTokenClassification,
        BertForSequenceClassification,
        BertForTokenClassification,
        CamemBertForSequenceClassification,
        CamemBertForTokenClassification,
        DeBertaForSequenceClassification,
        DeBertaForTokenClassification,
        DistilBertForSequenceClassification,
        DistilBertForTokenClassification,
        ElectraForSequenceClassification,
        ElectraForTokenClassification,
        ModernBertForSequenceClassification,
        ModernBertForTokenClassification,
        MPNetForSequenceClassification,
        MPNetForTokenClassification,
        RoBertaForSequenceClassification,
        RoBertaForTokenClassification,
        XlmRoBertaForSequenceClassification,
        XlmRoBertaForTokenClassification,
    )
    from tagline.spark.finishing import Finisher
    from tagline.spark.functions import predict, register
    from tagline.spark.light import LightPipeline
    from tagline.spark.meter import Counts, counts
    from tagline.spark.session import session
    from tagline.spark.splitting import SentenceDetector, Tokenizer, TokenizerModel

_STAGES = {
    "annotation": ("Annotation",),
    "assembling": ("DocumentAssembler",),
    "classifiers": ("SequenceClassifier", "TokenClassifier"),
    "converting": ("NerConverter",),
    "finishing": ("Finisher",),
    "functions": ("predict", "register"),
    "light": ("LightPipeline",),
    "meter": ("Counts", "counts"),
    "session": ("session",),
    "splitting": ("SentenceDetector", "Tokenizer", "TokenizerModel"),
    "families": tuple(
        f"{family}For{task}Classification"
        for family in (
            "Albert", "Bert", "CamemBert", "DeBerta", "DistilBert", "Electra", "MPNet", "ModernBert", "RoBerta",
            "XlmRoBerta",
        )
        for task in ("Sequence", "Token")
    ),
}  # fmt: skip
_HOMES = {name: module for module, names in _STAGES.items() for name in names}
__all__ = [
    "AlbertForSequenceClassification", "AlbertForTokenClassification", "Annotation", "BertForSequenceClassification",
    "BertForTokenClassification", "CamemBertForSequenceClassification", "CamemBertForTokenClassification", "Counts",
    "DeBertaForSequenceClassification", "DeBertaForTokenClassification", "DistilBertForSequenceClassification",
    "DistilBertForTokenClassification", "DocumentAssembler", "ElectraForSequenceClassification",
    "ElectraForTokenClassification", "Finisher", "LightPipeline", "MPNetForSequenceClassification",
    "MPNetForTokenClassification", "ModernBertForSequenceClassification", "ModernBertForTokenClassification",
    "NerConverter", "RoBertaForSequenceClassification", "RoBertaForTokenClassification", "SentenceDetector",
    "SequenceClassifier", "TokenClassifier", "Tokenizer", "TokenizerModel", "XlmRoBertaForSequenceClassification",
    "XlmRoBertaForTokenClassification", "counts", "predict", "register", "session",
]  # fmt: skip

for _needed in ("pyspark", "pandas", "pyarrow"):  # pyspark.sql wants the other two for every Arrow function
    if find_spec(_needed) is None:
        raise MissingExtraError("tagline.spark", "spark")


def __getattr__(name: str) -> object:
    # Loaded when first asked for: a Python worker needs none of pyspark.ml.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
