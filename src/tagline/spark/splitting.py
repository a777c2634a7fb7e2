"""SentenceDetector and Tokenizer."""

from __future__ import annotations

import re
import warnings
from typing import Any, Self

from pyspark import keyword_only
from pyspark.ml import Estimator, Model
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame

from tagline.errors import UsageError
from tagline.spark.annotation import DOCUMENT, TOKEN
from tagline.spark.params import HasInputs, Stage, settable
from tagline.spark.plan import Plan
from tagline.spark.steps import Bounds, Sentences
from tagline.spark.wording import Rules, Tokens

_LONGEST = 99_999  # Spark NLP's default, which would lose enormous sentences; here it stands for no bound


@settable
class SentenceDetector(Stage, HasInputs):
    """Documents to sentences, by the rules that the tagger itself cuts running text by."""

    customBounds: Param[Any] = Param(
        Params._dummy(), "customBounds", "strings that end a sentence", TypeConverters.toListString
    )
    useCustomBoundsOnly: Param[bool] = Param(
        Params._dummy(), "useCustomBoundsOnly", "whether nothing else ends one", TypeConverters.toBoolean
    )
    splitLength: Param[int] = Param(
        Params._dummy(), "splitLength", "most characters of a sentence; longer ones are cut", TypeConverters.toInt
    )
    minLength: Param[int] = Param(Params._dummy(), "minLength", "shorter sentences are left out", TypeConverters.toInt)
    maxLength: Param[int] = Param(
        Params._dummy(), "maxLength", "longer sentences are left out; 99999 keeps all", TypeConverters.toInt
    )
    explodeSentences: Param[bool] = Param(
        Params._dummy(), "explodeSentences", "whether each sentence becomes a row of its own", TypeConverters.toBoolean
    )
    useAbbreviations: Param[bool] = Param(
        Params._dummy(), "useAbbreviations", "accepted; abbreviations are the model's own", TypeConverters.toBoolean
    )
    detectLists: Param[bool] = Param(
        Params._dummy(), "detectLists", "accepted; list numbers are the model's own habit", TypeConverters.toBoolean
    )

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(
            customBounds=[], useCustomBoundsOnly=False, minLength=0, maxLength=_LONGEST, explodeSentences=False,
            useAbbreviations=True, detectLists=True,
        )  # fmt: skip

    def planned(self, plan: Plan) -> Plan:
        """See `Stage`."""
        names = self.checked_inputs(plan, (DOCUMENT,), (DOCUMENT,))
        longest = self.getOrDefault(self.maxLength)
        bounds = Bounds(
            tuple(self.getOrDefault(self.customBounds)),
            self.getOrDefault(self.useCustomBoundsOnly),
            self.getOrDefault(self.splitLength) if self.isDefined(self.splitLength) else 0,
            self.getOrDefault(self.minLength),
            0 if longest == _LONGEST else longest,
        )
        if min(bounds.split, bounds.shortest, bounds.longest) < 0:
            raise UsageError(
                "SentenceDetector: splitLength, minLength and maxLength count characters; expected 0 or more"
            )
        return plan.reading(names).adding(Sentences(self.getOutputCol(), names, bounds=bounds), DOCUMENT)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        frame = super()._transform(dataset)
        if not self.getOrDefault(self.explodeSentences):
            return frame
        from pyspark.sql import functions

        from tagline.spark.plan import column

        name = self.getOutputCol()
        alone = functions.transform(column(name), lambda each: functions.array(each))
        # A row without sentences stays, with none. What comes after reads the rows anew: a pass of its own.
        return frame.withColumn(name, functions.explode_outer(alone)).withColumn(
            name, functions.coalesce(column(name), functions.slice(functions.array(*[functions.lit(None)]), 1, 0))
        )


class _TokenizerParams(Params):
    targetPattern: Param[str] = Param(
        Params._dummy(), "targetPattern", "regular expression of a word, Python's", TypeConverters.toString
    )
    exceptions: Param[Any] = Param(
        Params._dummy(), "exceptions", "words that are never split", TypeConverters.toListString
    )
    caseSensitiveExceptions: Param[bool] = Param(
        Params._dummy(), "caseSensitiveExceptions", "whether exceptions keep their case", TypeConverters.toBoolean
    )
    splitChars: Param[Any] = Param(
        Params._dummy(), "splitChars", "characters that divide a word and are dropped", TypeConverters.toListString
    )
    splitPattern: Param[str] = Param(
        Params._dummy(), "splitPattern", "regular expression of what divides a word", TypeConverters.toString
    )
    minLength: Param[int] = Param(Params._dummy(), "minLength", "shorter words are left out", TypeConverters.toInt)
    maxLength: Param[int] = Param(
        Params._dummy(), "maxLength", "longer words are left out; 99999 keeps all", TypeConverters.toInt
    )

    def rules(self) -> Rules:
        """The rules that were set.

        Raises:
            UsageError: a pattern is no regular expression.
        """
        values = {name: self.getOrDefault(name) for name in ("targetPattern", "splitPattern") if self.isDefined(name)}
        for name, value in values.items():
            try:
                re.compile(value)
            except re.error as error:
                raise UsageError(f"Tokenizer: {name} is {value!r}, no regular expression ({error})") from None
        characters = self.getOrDefault(self.splitChars) if self.isDefined(self.splitChars) else []
        split = values.get("splitPattern") or "|".join(map(re.escape, characters))
        longest = self.getOrDefault(self.maxLength)
        return Rules(
            values.get("targetPattern", ""), split, tuple(self.getOrDefault(self.exceptions)),
            self.getOrDefault(self.caseSensitiveExceptions), self.getOrDefault(self.minLength),
            0 if longest == _LONGEST else longest,
        )  # fmt: skip


_DEFAULTS: dict[str, Any] = {"exceptions": [], "caseSensitiveExceptions": True, "minLength": 0, "maxLength": _LONGEST}


@settable
class Tokenizer(
    Estimator["TokenizerModel"], _TokenizerParams, HasInputs, DefaultParamsReadable[Any], DefaultParamsWritable
):
    """Documents or sentences to words.

    Without settings of its own, words are those that the model reads in the local tagger: the model of the first token
    classifier that takes this column in the same pipeline; without one, Tagline's own.
    """

    outputCol = Stage.outputCol
    contextChars: Param[Any] = Param(
        Params._dummy(), "contextChars", "accepted and not followed", TypeConverters.toListString
    )
    prefixPattern: Param[str] = Param(
        Params._dummy(), "prefixPattern", "accepted and not followed", TypeConverters.toString
    )
    suffixPattern: Param[str] = Param(
        Params._dummy(), "suffixPattern", "accepted and not followed", TypeConverters.toString
    )
    infixPatterns: Param[Any] = Param(
        Params._dummy(), "infixPatterns", "accepted and not followed", TypeConverters.toListString
    )

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(**_DEFAULTS)

    def addException(self, value: str) -> Self:
        """Adds a word that is never split."""
        return self._set(exceptions=[*self.getOrDefault(self.exceptions), value])

    def addSplitChars(self, value: str) -> Self:
        """Adds a character that divides words."""
        before = self.getOrDefault(self.splitChars) if self.isDefined(self.splitChars) else []
        return self._set(splitChars=[*before, value])

    def _fit(self, dataset: DataFrame) -> TokenizerModel:
        for name in ("contextChars", "prefixPattern", "suffixPattern", "infixPatterns"):
            if self.isSet(name):
                warnings.warn(
                    f"Tokenizer: {name} is not followed; words are split by Tagline's rules, or by targetPattern, "
                    "splitChars and exceptions",
                    stacklevel=2,
                )
        self.rules()
        return self._copyValues(TokenizerModel())


@settable
class TokenizerModel(Model, _TokenizerParams, HasInputs, Stage):
    """A fitted `Tokenizer`."""

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(**_DEFAULTS)

    @classmethod
    def pretrained(cls, name: str = "", lang: str = "en", remote_loc: str | None = None) -> TokenizerModel:
        """A tokenizer by Tagline's own rules; the name is accepted for the sake of Spark NLP's scripts."""
        return cls()

    def planned(self, plan: Plan) -> Plan:
        """See `Stage`."""
        names = self.checked_inputs(plan, (DOCUMENT,), (DOCUMENT,))
        return plan.reading(names).adding(Tokens(self.getOutputCol(), names, rules=self.rules()), TOKEN)
