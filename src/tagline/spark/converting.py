"""NerConverter: tags to chunks."""

from __future__ import annotations

from typing import Any

from pyspark import keyword_only
from pyspark.ml.param import Param, Params, TypeConverters

from tagline.spark.annotation import CHUNK, DOCUMENT, NAMED_ENTITY, TOKEN
from tagline.spark.params import HasInputs, Stage, settable
from tagline.spark.plan import Plan
from tagline.spark.steps import Convert


@settable
class NerConverter(Stage, HasInputs):
    """Tags to chunks: the entities, with their `confidence` beside Spark NLP's metadata."""

    whiteList: Param[Any] = Param(
        Params._dummy(), "whiteList", "entity types to keep, without prefixes", TypeConverters.toListString
    )
    preservePosition: Param[bool] = Param(
        Params._dummy(), "preservePosition", "accepted; chunks always stand in the text", TypeConverters.toBoolean
    )
    nerHasNoSchema: Param[bool] = Param(
        Params._dummy(), "nerHasNoSchema", "whether tags have no prefixes", TypeConverters.toBoolean
    )

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(preservePosition=True, nerHasNoSchema=False)

    def planned(self, plan: Plan) -> Plan:
        """See `Stage`."""
        names = self.checked_inputs(plan, (DOCUMENT, TOKEN, NAMED_ENTITY), (NAMED_ENTITY,))
        wanted = frozenset(self.getOrDefault(self.whiteList)) if self.isDefined(self.whiteList) else None
        step = Convert(self.getOutputCol(), names, wanted=wanted, bare=self.getOrDefault(self.nerHasNoSchema))
        return plan.reading(names).adding(step, CHUNK)
