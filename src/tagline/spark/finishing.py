"""Finisher: annotations to plain columns, within the JVM."""

from __future__ import annotations

from typing import Any, Self

from pyspark import keyword_only
from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, functions
from pyspark.sql.types import ArrayType, StructType

from tagline.errors import UsageError
from tagline.spark.params import HasInputs, names_of, settable
from tagline.spark.plan import Plan, column


@settable
class Finisher(Transformer, HasInputs, DefaultParamsReadable[Any], DefaultParamsWritable):
    """Annotations to their results, as arrays of strings or as one string."""

    outputCols: Param[Any] = Param(
        Params._dummy(),
        "outputCols",
        "output columns, by default `finished_` and the name",
        TypeConverters.toListString,
    )
    valueSplitSymbol: Param[str] = Param(
        Params._dummy(), "valueSplitSymbol", "what stands between the values of an annotation", TypeConverters.toString
    )
    annotationSplitSymbol: Param[str] = Param(
        Params._dummy(), "annotationSplitSymbol", "what stands between annotations", TypeConverters.toString
    )
    cleanAnnotations: Param[bool] = Param(
        Params._dummy(), "cleanAnnotations", "whether columns of annotations are dropped", TypeConverters.toBoolean
    )
    includeMetadata: Param[bool] = Param(
        Params._dummy(), "includeMetadata", "whether metadata is given as well", TypeConverters.toBoolean
    )
    outputAsArray: Param[bool] = Param(
        Params._dummy(), "outputAsArray", "whether results are an array, else one string", TypeConverters.toBoolean
    )
    parseEmbeddingsVectors: Param[bool] = Param(
        Params._dummy(), "parseEmbeddingsVectors", "accepted; there are no embeddings", TypeConverters.toBoolean
    )

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(
            valueSplitSymbol="#", annotationSplitSymbol="@", cleanAnnotations=True, includeMetadata=False,
            outputAsArray=True, parseEmbeddingsVectors=False,
        )  # fmt: skip

    def setOutputCols(self, *value: Any) -> Self:
        """Sets the output columns, as names or as one list of names."""
        return self._set(outputCols=names_of(value))

    def _transform(self, dataset: DataFrame) -> DataFrame:
        names = self.getInputCols()
        outputs = list(self.getOrDefault(self.outputCols)) if self.isDefined(self.outputCols) else []
        outputs = outputs or [f"finished_{name}" for name in names]
        if len(outputs) != len(names):
            raise UsageError(f"Finisher: {len(names)} input columns and {len(outputs)} output columns; give as many")
        there = {each.name for each in dataset.schema.fields if _annotated(each.dataType)}
        missing = [name for name in names if name not in there]
        if missing:
            raise UsageError(
                f"Finisher: {missing[0]!r} is no column of annotations; there are {', '.join(sorted(there)) or 'none'}"
            )
        clean = self.getOrDefault(self.cleanAnnotations)
        plan = Plan.of(dataset)
        if clean and plan.outputs:  # what is dropped need not come out of Python at all
            dataset = plan.transformed([name for name in names if name in plan.kinds()])
        made: dict[str, Any] = {}
        for name, output in zip(names, outputs, strict=True):
            made |= self._finished(name, output)
        return dataset.withColumns(made).drop(*(there if clean else ()))

    def _finished(self, name: str, output: str) -> dict[str, Any]:
        value = column(name)
        results = functions.transform(value, lambda each: each["result"])
        metadata = self.getOrDefault(self.includeMetadata)
        if self.getOrDefault(self.outputAsArray):
            if not metadata:
                return {output: results}
            entries = functions.transform(value, lambda each: functions.map_entries(each["metadata"]))
            return {output: results, f"{output}_metadata": functions.flatten(entries)}
        between = self.getOrDefault(self.valueSplitSymbol)
        if metadata:
            results = functions.transform(value, lambda each: functions.concat_ws(
                between,
                functions.concat(functions.lit("result->"), each["result"]),
                functions.transform(
                    functions.map_entries(each["metadata"]),
                    lambda entry: functions.concat_ws("->", entry["key"], entry["value"]),
                ),
            ))  # fmt: skip
        return {output: functions.array_join(results, self.getOrDefault(self.annotationSplitSymbol))}


def _annotated(kind: Any) -> bool:
    return (
        isinstance(kind, ArrayType)
        and isinstance(kind.elementType, StructType)
        and "annotatorType" in kind.elementType.names
    )
