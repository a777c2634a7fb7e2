"""TokenClassifier and SequenceClassifier: the stages that hold a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from pyspark import keyword_only
from pyspark.ml import Model
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.sql import SparkSession

from tagline.errors import UsageError
from tagline.predict.staged import ModelFacts
from tagline.records import Problem
from tagline.spark.annotation import CATEGORY, DOCUMENT, NAMED_ENTITY, TOKEN
from tagline.spark.find import find
from tagline.spark.models import ARCHIVE, ModelRef, archived
from tagline.spark.params import ERROR_COLUMN, HasErrors, HasInputs, Stage, settable
from tagline.spark.plan import Plan
from tagline.spark.reading import Classify, Question, Tag
from tagline.spark.saving import ModelReader, ModelWriter, facts_of
from tagline.spark.travel import TRAVELS, refer

_ACTIVATIONS = ("softmax", "sigmoid")


@settable
class _WithModel(Model, HasInputs, HasErrors, Stage):
    """A stage that holds a model.

    Attributes:
        families: `model_type` of the models that the class takes; empty for all.
    """

    families: ClassVar[tuple[str, ...]] = ()
    tags: ClassVar[bool] = True
    known_as: ClassVar[str] = ""

    modelPath: Param[str] = Param(
        Params._dummy(), "modelPath", "model folder on the driver, or archive:NAME", TypeConverters.toString
    )
    travel: Param[str] = Param(
        Params._dummy(),
        "travel",
        "how the model comes to the executors: " + ", ".join(TRAVELS),
        TypeConverters.toString,
    )
    engine: Param[str] = Param(Params._dummy(), "engine", "auto, openvino, onnx or torch", TypeConverters.toString)
    precision: Param[str] = Param(Params._dummy(), "precision", "auto, bf16, f32 or int8", TypeConverters.toString)
    batchTokens: Param[int] = Param(
        Params._dummy(), "batchTokens", "most sub-tokens of a batch, padding included", TypeConverters.toInt
    )
    threads: Param[int] = Param(
        Params._dummy(), "threads", "cores of a Python worker; 0 takes spark.task.cpus", TypeConverters.toInt
    )
    batchSize: Param[int] = Param(
        Params._dummy(), "batchSize", "accepted; batches are cut by batchTokens", TypeConverters.toInt
    )
    maxSentenceLength: Param[int] = Param(
        Params._dummy(), "maxSentenceLength", "accepted; no text is ever cut", TypeConverters.toInt
    )
    caseSensitive: Param[bool] = Param(
        Params._dummy(), "caseSensitive", "accepted; the model's tokenizer decides about case", TypeConverters.toBoolean
    )
    configProtoBytes: Param[Any] = Param(
        Params._dummy(), "configProtoBytes", "accepted and not used", TypeConverters.toListInt
    )

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(
            travel="auto", engine="auto", precision="auto", batchTokens=1024, threads=0, batchSize=8,
            maxSentenceLength=128, caseSensitive=True, errorCol=ERROR_COLUMN, failOnError=False,
        )  # fmt: skip

    @classmethod
    def pretrained(cls, name: str = "", lang: str = "en", remote_loc: str | None = None) -> Self:
        """A model by name: a folder, one of TAGLINE_MODELS, one that comes with Tagline, or `owner/model` on the hub.

        Args:
            name: the name; by default that of the shipped model.
            lang: its language.
            remote_loc: a folder that is searched first.

        Raises:
            FolderError: there is no such model.
            UsageError: it is of another task or family.
        """
        name = name or cls.known_as
        inside = Path(remote_loc or "") / name
        return cls()._holding(str(inside) if remote_loc and inside.is_dir() else find(name, lang))

    @classmethod
    def loadSavedModel(cls, folder: str, spark_session: SparkSession | None = None) -> Self:
        """The model of a folder: one that `tagline train` wrote, or of Hugging Face.

        Raises:
            FolderError: no model folder.
            UsageError: it is of another task or family.
        """
        return cls()._holding(str(folder))

    @classmethod
    def load(cls, path: str) -> Self:
        """A saved stage; the folder of a model is taken as well."""
        plain = str(path).removeprefix("file://").removeprefix("file:")
        if os.path.isfile(os.path.join(plain, "config.json")):  # noqa: PTH113, PTH118 - pyspark gives strings
            return cls()._holding(plain)
        return cast(Self, super().load(path))

    @classmethod
    def read(cls) -> ModelReader:
        """See pyspark's `MLReadable`."""
        return ModelReader(cls)

    def write(self) -> ModelWriter:
        """See pyspark's `MLWritable`."""
        return ModelWriter(self)

    def getClasses(self) -> list[str]:
        """The labels by id; of a token classifier its tags."""
        return list(self.facts().labels)

    def folder(self) -> Path:
        """The model's folder on the driver.

        Raises:
            UsageError: none was given.
        """
        path = self._path()
        return archived(path) if path.startswith(ARCHIVE) else Path(path)

    def facts(self) -> ModelFacts:
        """What is known of the model.

        Raises:
            FolderError: no model folder.
            UsageError: it is of another task or family.
        """
        path = self._path()
        facts: ModelFacts = facts_of(path)
        name = type(self).__name__
        if facts.tags != self.tags:
            other = "SequenceClassifier" if self.tags else "TokenClassifier"
            raise UsageError(f"{name}: {path} {'labels texts' if self.tags else 'marks entities'}; take {other} for it")
        if self.families and facts.family not in self.families:
            raise UsageError(
                f"{name}: {path} holds a model of the type {facts.family!r}; expected {' or '.join(self.families)}. "
                f"{'TokenClassifier' if self.tags else 'SequenceClassifier'} takes all types"
            )
        return facts

    def ref(self, session: SparkSession | None) -> ModelRef:
        """The model as it travels in a session; None for this process."""
        options = {
            "engine": self.getOrDefault(self.engine), "precision": self.getOrDefault(self.precision),
            "batch_tokens": self.getOrDefault(self.batchTokens),
        }  # fmt: skip
        return refer(self.facts(), self._path(), session, self.getOrDefault(self.travel), options)

    def settings(self) -> dict[str, Any]:
        """As `Plan.adding` takes them."""
        threads = self.getOrDefault(self.threads)
        return {**self.error_settings(), **({"threads": threads} if threads else {})}

    def _holding(self, path: str) -> Self:
        self._set(modelPath=path)
        self.facts()
        return self

    def _path(self) -> str:
        if not self.isDefined(self.modelPath):
            raise UsageError(
                f"{type(self).__name__} has no model; make it with {type(self).__name__}.pretrained(NAME) or "
                ".loadSavedModel(FOLDER, spark)"
            )
        return str(self.getOrDefault(self.modelPath))


@settable
class TokenClassifier(_WithModel):
    """Words to tags, with a model of any family."""

    known_as = "ner-news"

    includeAllConfidenceScores: Param[bool] = Param(
        Params._dummy(), "includeAllConfidenceScores", "whether metadata holds the score of every tag, else of the one",
        TypeConverters.toBoolean,
    )  # fmt: skip

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(includeAllConfidenceScores=True)

    def planned(self, plan: Plan) -> Plan:
        """See `Stage`."""
        names = self.checked_inputs(plan, (DOCUMENT, TOKEN), ())
        ref = self.ref(None if plan.frame is None else plan.frame.sparkSession)
        step = Tag(self.getOutputCol(), names, ref, self.getOrDefault(self.includeAllConfidenceScores))
        return plan.reading(names).adding(step, NAMED_ENTITY, **self.settings())


@settable
class SequenceClassifier(_WithModel):
    """Documents or sentences to labels, with a model of any family."""

    tags = False
    known_as = "sentiment"

    activation: Param[str] = Param(
        Params._dummy(), "activation", "softmax (one label) or sigmoid; by default the model's", TypeConverters.toString
    )
    multilabel: Param[bool] = Param(
        Params._dummy(),
        "multilabel",
        "whether several labels are given; by default the model's",
        TypeConverters.toBoolean,
    )
    threshold: Param[float] = Param(
        Params._dummy(), "threshold", "from which score on one of several labels is given", TypeConverters.toFloat
    )
    coalesceSentences: Param[bool] = Param(
        Params._dummy(), "coalesceSentences", "whether the sentences of a document get one answer",
        TypeConverters.toBoolean,
    )  # fmt: skip

    @keyword_only
    def __init__(self) -> None:
        super().__init__()
        self._setDefault(coalesceSentences=False)

    def setActivation(self, value: str) -> Self:
        """Sets how logits become scores, by default as the model was trained.

        Raises:
            UsageError: no such activation.
        """
        if value not in _ACTIVATIONS:
            raise UsageError(f"activation {value!r}; accepted are {', '.join(_ACTIVATIONS)}")
        return self._set(activation=value)

    def planned(self, plan: Plan) -> Plan:
        """See `Stage`."""
        names = self.checked_inputs(plan, (DOCUMENT, TOKEN), (DOCUMENT,))
        facts = self.facts()
        if facts.paired:
            raise UsageError(
                f"{type(self).__name__}: {facts.path} reads pairs of texts; take tagline.spark.predict(frame, model, "
                "text=…, pair=…) for it"
            )
        ref = self.ref(None if plan.frame is None else plan.frame.sparkSession)
        step = Classify(self.getOutputCol(), names, ref, self._question(facts))
        return plan.reading(names).adding(step, CATEGORY, **self.settings())

    def _question(self, facts: ModelFacts) -> Question:
        given = {name: self.getOrDefault(name) if self.isDefined(name) else None for name in (
            "activation", "multilabel", "threshold",
        )}  # fmt: skip
        problem = None
        if facts.problem is not Problem.REGRESSION:
            if given["multilabel"] is not None:
                problem = Problem.MULTI if given["multilabel"] else Problem.SINGLE
            elif given["activation"] == "softmax":
                problem = Problem.SINGLE
            if problem is Problem.MULTI and given["activation"] == "softmax":
                raise UsageError("several labels have no softmax; setActivation('sigmoid') with setMultilabel(True)")
        return Question(problem, given["threshold"], self.getOrDefault(self.coalesceSentences))
