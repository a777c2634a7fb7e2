"""What the stages share: names of columns as Params, saving, and the step that each adds to the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame

from tagline.errors import UsageError
from tagline.spark.plan import Plan

ERROR_COLUMN = "tagline_error"


S = TypeVar("S", bound=type[Params])


def settable(kind: S) -> S:
    """Gives a class `setName` and `getName` for each of its Params that has none written out."""
    for name, param in list(vars(kind).items()):
        if not isinstance(param, Param):
            continue
        title = name[0].upper() + name[1:]

        def setter(self: Params, value: Any, name: str = name) -> Params:
            return self._set(**{name: value})

        def getter(self: Params, name: str = name) -> Any:
            return self.getOrDefault(name)

        setter.__doc__, getter.__doc__ = f"Sets: {param.doc}.", f"Gives: {param.doc}."
        for method, prefix in ((setter, "set"), (getter, "get")):
            method.__name__ = prefix + title
            if not hasattr(kind, prefix + title):
                setattr(kind, prefix + title, method)
    return kind


def names_of(value: tuple[Any, ...]) -> list[str]:
    """`("a", "b")` or `(["a", "b"],)` as a list."""
    return list(value[0]) if len(value) == 1 and isinstance(value[0], list | tuple) else list(value)


class HasErrors(Params):
    """What becomes of a row that cannot be read."""

    errorCol: Param[str] = Param(
        Params._dummy(), "errorCol", "column for why a row cannot be read; empty for none", TypeConverters.toString
    )
    failOnError: Param[bool] = Param(
        Params._dummy(), "failOnError", "whether such a row fails the job", TypeConverters.toBoolean
    )

    def setErrorCol(self, value: str) -> Self:
        """Sets the column that says why a row cannot be read, by default `tagline_error`; "" leaves it out."""
        return self._set(errorCol=value)

    def setFailOnError(self, value: bool) -> Self:
        """Sets whether a row that cannot be read fails the job, by default False."""
        return self._set(failOnError=value)

    def error_settings(self) -> dict[str, Any]:
        """As `Plan.adding` takes them."""
        column = self.getOrDefault(self.errorCol)
        return {"failing": self.getOrDefault(self.failOnError), **({"error_column": column} if column else {})}


class Stage(Transformer, DefaultParamsReadable[Any], DefaultParamsWritable):
    """A stage that adds a step to the one pass."""

    outputCol: Param[str] = Param(Params._dummy(), "outputCol", "output column name", TypeConverters.toString)
    lazyAnnotator: Param[bool] = Param(
        Params._dummy(),
        "lazyAnnotator",
        "accepted for Spark NLP's scripts; every stage is lazy",
        TypeConverters.toBoolean,
    )

    def setOutputCol(self, value: str) -> Self:
        """Sets the output column."""
        return self._set(outputCol=value)

    def getOutputCol(self) -> str:
        """The output column."""
        if not self.isDefined(self.outputCol):
            raise UsageError(f"{type(self).__name__}: no output column; call setOutputCol")
        return str(self.getOrDefault(self.outputCol))

    def setLazyAnnotator(self, value: bool) -> Self:
        """Accepted for the sake of Spark NLP's scripts; every stage is lazy."""
        return self._set(lazyAnnotator=value)

    if TYPE_CHECKING:  # setters that `settable` writes

        def __getattr__(self, name: str) -> Any: ...

    def planned(self, plan: Plan) -> Plan:
        """The plan with this stage's step."""
        raise NotImplementedError

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return self.planned(Plan.of(dataset)).transformed()


class HasInputs(Params):
    """Columns of annotations to read."""

    if TYPE_CHECKING:  # setters that `settable` writes

        def __getattr__(self, name: str) -> Any: ...

    inputCols: Param[Any] = Param(
        Params._dummy(), "inputCols", "columns of annotations to read", TypeConverters.toListString
    )

    def setInputCols(self, *value: Any) -> Self:
        """Sets the input columns, as names or as one list of names; their order does not matter."""
        return self._set(inputCols=names_of(value))

    def getInputCols(self) -> list[str]:
        """The input columns."""
        if not self.isDefined(self.inputCols):
            raise UsageError(f"{type(self).__name__}: no input columns; call setInputCols")
        return list(self.getOrDefault(self.inputCols))

    def checked_inputs(self, plan: Plan, accepted: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
        """The input columns.

        Raises:
            UsageError: one holds annotations of a kind that is not accepted, or a needed kind is missing.
        """
        names = self.getInputCols()
        made = plan.kinds()
        kinds = [made.get(name) for name in names]
        for name, kind in zip(names, kinds, strict=True):
            if kind is not None and kind not in accepted:
                raise UsageError(
                    f"{type(self).__name__}: column {name!r} holds {kind} annotations; accepted are "
                    f"{', '.join(accepted)}"
                )
        missing = [kind for kind in needed if kind not in kinds]
        if missing and None not in kinds and not (plan.frame is not None and set(names) - set(made)):
            raise UsageError(
                f"{type(self).__name__}: got the columns {', '.join(names)}; none of them holds "
                f"{missing[0]} annotations"
            )
        return tuple(names)
