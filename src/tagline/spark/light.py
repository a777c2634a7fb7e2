"""LightPipeline: a fitted pipeline over strings, in this process, without a Spark job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from tagline.errors import DataError, UsageError
from tagline.spark.annotation import Annotation
from tagline.spark.cells import Row
from tagline.spark.finishing import Finisher
from tagline.spark.models import Models
from tagline.spark.params import Stage
from tagline.spark.plan import Plan
from tagline.spark.work import Work


class LightPipeline:
    """Runs the stages of a fitted pipeline over strings; the answers are those that a DataFrame gets.

    Args:
        pipelineModel: the fitted pipeline; a Finisher in it is passed over.
        parse_embeddings: accepted; there are no embeddings.
    """

    def __init__(self, pipelineModel: PipelineModel, parse_embeddings: bool = False) -> None:
        self.pipeline_model = pipelineModel
        self._ignoring = False
        self._work: Work | None = None

    def setIgnoreUnsupported(self, value: bool) -> LightPipeline:
        """Sets whether stages that are not Tagline's are passed over, by default not."""
        self._ignoring, self._work = value, None
        return self

    def getIgnoreUnsupported(self) -> bool:
        """Whether stages that are not Tagline's are passed over."""
        return self._ignoring

    def transform(self, dataframe: DataFrame) -> DataFrame:
        """A DataFrame through the pipeline, on the cluster."""
        return self.pipeline_model.transform(dataframe)

    @overload
    def annotate(self, target: str) -> dict[str, list[str]]: ...  # type: ignore[overload-overlap]

    @overload
    def annotate(self, target: Sequence[str]) -> list[dict[str, list[str]]]: ...

    def annotate(self, target: str | Sequence[str]) -> dict[str, list[str]] | list[dict[str, list[str]]]:
        """The results of every column, of one text or of several.

        Raises:
            UsageError: something else than text was given.
        """
        found = [
            {name: [each.result for each in annotations] for name, annotations in row.items()}
            for row in self.fullAnnotate(target)
        ]
        return found[0] if isinstance(target, str) else found

    def fullAnnotate(self, target: str | Sequence[str]) -> list[dict[str, list[Annotation]]]:
        """The annotations of every column; a list also for one text.

        Raises:
            UsageError: something else than text was given.
            DataError: a text cannot be read.
        """
        texts = [target] if isinstance(target, str) else target
        if not isinstance(texts, list | tuple) or not all(isinstance(each, str) for each in texts):
            raise UsageError(f"got {type(target).__name__}; expected a text (str) or a list of texts")
        work = self._work = self._work or self._planned()
        name = work.inputs[0][0]
        rows = list(work.through((Row({name: text}) for text in texts), Models(work.threads)))
        for number, row in enumerate(rows):
            if row.error is not None:
                raise DataError(f"text {number}: {row.error}")
        columns = {output.column: output.array(rows).to_pylist(maps_as_pydicts="lossy") for output in work.outputs}
        return [
            {name: [Annotation(**each) for each in values[number]] for name, values in columns.items()}
            for number in range(len(texts))
        ]

    def _planned(self) -> Work:
        plan = Plan(None)
        for stage in self.pipeline_model.stages:
            if isinstance(stage, Stage):
                plan = stage.planned(plan)
            elif not (isinstance(stage, Finisher) or self._ignoring):
                raise UsageError(
                    f"LightPipeline: {type(stage).__name__} is not one of Tagline's stages; "
                    "setIgnoreUnsupported(True) passes it over"
                )
        if not plan.inputs or len(plan.inputs) > 1:
            raise UsageError("LightPipeline: expected one DocumentAssembler, without idCol and metadataCol")
        return plan.work()
