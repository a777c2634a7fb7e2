"""DocumentAssembler: the first stage of every pipeline."""

from __future__ import annotations

from typing import Any, Self

from pyspark import keyword_only
from pyspark.ml.param import Param, Params, TypeConverters

from tagline.errors import UsageError
from tagline.spark.annotation import DOCUMENT
from tagline.spark.params import ERROR_COLUMN, HasErrors, Stage, settable
from tagline.spark.plan import Plan
from tagline.spark.steps import CLEANUPS, Assemble


@settable
class DocumentAssembler(Stage, HasErrors):
    """Texts to documents.

    A null text gives no annotation, an empty one an annotation with `begin` 0 and `end` −1.
    """

    inputCol: Param[str] = Param(Params._dummy(), "inputCol", "input column name", TypeConverters.toString)
    idCol: Param[str] = Param(Params._dummy(), "idCol", "column of a row's id", TypeConverters.toString)
    metadataCol: Param[str] = Param(
        Params._dummy(), "metadataCol", "column of a map of strings, to go into the metadata", TypeConverters.toString
    )
    cleanupMode: Param[str] = Param(
        Params._dummy(), "cleanupMode", "how whitespace is tidied: " + ", ".join(CLEANUPS), TypeConverters.toString
    )

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(outputCol="document", cleanupMode="disabled", errorCol=ERROR_COLUMN, failOnError=False)

    def setCleanupMode(self, value: str) -> Self:
        """Sets how whitespace is tidied, by default not at all; offsets are then those of the tidied text.

        Raises:
            UsageError: no such mode.
        """
        if value.strip().lower() not in CLEANUPS:
            raise UsageError(f"cleanup mode {value!r}; accepted are {', '.join(CLEANUPS)}")
        return self._set(cleanupMode=value.strip().lower())

    def planned(self, plan: Plan) -> Plan:
        """See `Stage`."""
        if not self.isDefined(self.inputCol):
            raise UsageError('DocumentAssembler: no input column; call setInputCol("text")')
        text = self.getOrDefault(self.inputCol)
        plan = plan.reading([text], annotated=False)
        more: dict[str, Any] = {}
        for param, name in ((self.idCol, "named"), (self.metadataCol, "metadata")):
            if self.isDefined(param):
                more[name] = self.getOrDefault(param)
                plan = plan.carrying(more[name])
        step = Assemble(self.getOutputCol(), (text,), cleanup=self.getOrDefault(self.cleanupMode), **more)
        return plan.adding(step, DOCUMENT, **self.error_settings())
