"""The two classic pipelines and all that a row can be, on a cluster of two worker processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from tests.cli.support import environment
from tests.spark.conftest import Models

import tagline
from tagline.errors import UsageError
from tagline.spark import (
    BertForSequenceClassification,
    BertForTokenClassification,
    DistilBertForTokenClassification,
    DocumentAssembler,
    Finisher,
    LightPipeline,
    NerConverter,
    SentenceDetector,
    SequenceClassifier,
    TokenClassifier,
    Tokenizer,
    counts,
)

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
TEXT = "John Parker moved to New York ."
LIKED, DISLIKED = "I really like that movie", "The last movie i watched is awful"


def ner_stages(models: Models, sentences: bool = False) -> list[Any]:
    source = "sentence" if sentences else "document"
    detector = [SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")] if sentences else []
    return [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        *detector,
        Tokenizer().setInputCols([source]).setOutputCol("token"),
        BertForTokenClassification.loadSavedModel(str(models.tagger)).setInputCols(["token", source])
        .setOutputCol("ner").setCaseSensitive(True).setMaxSentenceLength(512),
        NerConverter().setInputCols([source, "token", "ner"]).setOutputCol("chunk"),
    ]  # fmt: skip


def class_stages(models: Models) -> list[Any]:
    return [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        Tokenizer().setInputCols(["document"]).setOutputCol("token"),
        BertForSequenceClassification.pretrained(str(models.classifier), "en").setInputCols(["token", "document"])
        .setOutputCol("class").setBatchSize(4),
    ]  # fmt: skip


def chunks(frame: Any) -> list[list[tuple[int, int, str, str]]]:
    """(begin, end, entity, text) of each row's chunks, in the order of `id`."""
    rows = frame.select("id", "chunk").collect()
    return [
        [(each.begin, each.end, each.metadata["entity"], each.result) for each in row.chunk]
        for row in sorted(rows, key=lambda row: row.id)
    ]


def locally(models: Models, texts: list[str | None]) -> list[list[tuple[int, int, str, str]]]:
    tagger: Any = tagline.load(models.tagger)
    return [
        [] if text is None else [(each.start, each.end - 1, each.label, each.text) for each in tagger(text)]
        for text in texts
    ]


def test_people_and_places_become_chunks_in_one_pass(spark: Any, models: Models) -> None:
    data = spark.createDataFrame([(0, TEXT)], "id int, text string")
    result = Pipeline(stages=ner_stages(models)).fit(data).transform(data)
    (found,) = chunks(result)
    assert (0, 10, "PER", "John Parker") in found
    assert (21, 28, "LOC", "New York") in found
    plan = result.filter("size(chunk) > 0")._jdf.queryExecution().executedPlan().toString()
    assert plan.count("ArrowEvalPython") == 1, plan
    row: Any = result.first()
    assert [each.result for each in row.token] == TEXT.split()
    assert row.ner[0].metadata["word"] == "John"
    assert row.ner[0].metadata["sentence"] == "0"
    scores = [float(row.ner[0].metadata[tag]) for tag in tagline.load(models.tagger).folder.labels]
    assert sum(scores) == pytest.approx(1, abs=1e-4)
    assert row.chunk[0].annotatorType == "chunk"
    assert row.tagline_error is None
    assert result.schema["ner"].metadata == {"annotatorType": "named_entity"}


def test_opinions_become_classes(spark: Any, models: Models) -> None:
    data = spark.createDataFrame([(LIKED,), (DISLIKED,)], "text string")
    result = Pipeline(stages=class_stages(models)).fit(data).transform(data)
    found = {row.text: getattr(row, "class")[0] for row in result.collect()}
    assert (found[LIKED].result, found[DISLIKED].result) == ("positive", "negative")
    classifier: Any = tagline.load(models.classifier)
    local = classifier(LIKED, None)
    assert float(found[LIKED].metadata["positive"]) == pytest.approx(local.score, abs=1e-5)
    assert (found[LIKED].begin, found[LIKED].end) == (0, len(LIKED) - 1)


@pytest.mark.parametrize("sentences", [False, True])
def test_answers_are_those_of_the_local_tagger(spark: Any, models: Models, sentences: bool) -> None:
    texts: list[str | None] = [
        None, "", "   \n", TEXT, "Nobody came. John Parker likes the rain! In Oslo we met Eva Lind.",
        "héllo 😀 New York – John\u200bParker", "Mary Stone's train to Cape Town, e-mail: a.b@c.de (Lima)",
        *[f"Number {number}: {TEXT} The train to Lima was late." for number in range(40)],
    ]  # fmt: skip
    data = spark.createDataFrame(list(enumerate(texts)), "id int, text string").repartition(3)
    result = Pipeline(stages=ner_stages(models, sentences)).fit(data).transform(data)
    assert chunks(result) == locally(models, texts)
    empty = {row.id: row for row in result.filter("id < 2").collect()}
    assert empty[0].document == empty[0].ner == []
    assert (empty[1].document[0].begin, empty[1].document[0].end) == (0, -1)


def test_stages_apart_answer_as_stages_together(spark: Any, models: Models) -> None:
    texts: list[str | None] = [TEXT, "Nobody came. In Oslo we met Eva Lind.", None]
    data = spark.createDataFrame(list(enumerate(texts)), "id int, text string")
    frame = data
    for stage in ner_stages(models, sentences=True):
        fitted = stage.fit(frame) if isinstance(stage, Tokenizer) else stage
        frame = fitted.transform(frame).select("*")  # a DataFrame that knows no plan: a pass for each stage
    assert chunks(frame) == locally(models, texts)


def test_enormous_text_passes(spark: Any, models: Models) -> None:
    text = " ".join([TEXT] * 1500)
    data = spark.createDataFrame([(0, "x" * 50_000), (1, text), (2, TEXT)], "id int, text string")
    result = Pipeline(stages=ner_stages(models)).fit(data).transform(data)
    assert chunks(result) == locally(models, ["x" * 50_000, text, TEXT])


def test_saved_pipeline_answers_in_another_process(spark: Any, models: Models, tmp_path: Path) -> None:
    data = spark.createDataFrame([(0, TEXT)], "id int, text string")
    fitted = Pipeline(stages=ner_stages(models)).fit(data)
    moved = tmp_path / "saved"
    fitted.write().overwrite().save(str(moved))
    # Only what reads the folder matters: this process would otherwise have the model open already.
    code = (
        "import sys\nfrom pyspark.ml import PipelineModel\nfrom tagline.spark import LightPipeline, session\n"
        "spark = session('local[1]', spark__ui__enabled='false', spark__driver__memory='512m')\n"
        "light = LightPipeline(PipelineModel.load(sys.argv[1]))\n"
        "sys.stdout.write(repr(light.annotate(sys.argv[2])['chunk']))\nspark.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(moved), TEXT], env=environment(), capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "'John Parker'" in done.stdout
    again = PipelineModel.load(str(moved))
    assert chunks(again.transform(data)) == chunks(fitted.transform(data))


def test_light_pipeline_needs_no_job(spark: Any, models: Models) -> None:
    data = spark.createDataFrame([(0, TEXT)], "id int, text string")
    fitted = Pipeline(stages=ner_stages(models)).fit(data)
    light = LightPipeline(fitted)
    assert light.annotate(TEXT)["token"] == TEXT.split()
    assert [each["chunk"] for each in light.annotate([TEXT, ""])][1] == []
    (full,) = light.fullAnnotate(TEXT)
    (row,) = fitted.transform(data).collect()
    assert [(each.begin, each.end, each.result) for each in full["chunk"]] == [
        (each.begin, each.end, each.result) for each in row.chunk
    ]
    with pytest.raises(UsageError, match="expected a text"):
        light.annotate(3)  # type: ignore[call-overload]


def test_finisher_gives_plain_columns(spark: Any, models: Models) -> None:
    data = spark.createDataFrame([(0, TEXT)], "id int, text string")
    stages = [*ner_stages(models), Finisher().setInputCols("token", "chunk").setIncludeMetadata(True)]
    result = Pipeline(stages=stages).fit(data).transform(data)
    row: Any = result.first()
    assert row.finished_token == TEXT.split()
    assert "John Parker" in row.finished_chunk
    assert ("entity", "PER") in [(each.key, each.value) for each in row.finished_chunk_metadata]
    assert not {"document", "ner", "chunk"} & set(result.columns)
    stages[-1] = Finisher().setInputCols(["token"]).setOutputCols(["words"]).setOutputAsArray(False)
    row = Pipeline(stages=stages).fit(data).transform(data).first()
    assert row.words == "@".join(TEXT.split())


def test_each_worker_opens_a_model_once(spark: Any, models: Models) -> None:
    data = spark.createDataFrame([(each, TEXT) for each in range(64)], "id int, text string").repartition(8)
    fitted = Pipeline(stages=ner_stages(models)).fit(data)
    for _ in range(2):
        fitted.transform(data).select("chunk").collect()
    loads = counts(spark).loads
    assert loads
    assert set(loads.values()) == {1}, loads


def test_settings_that_do_not_fit_are_explained(spark: Any, models: Models) -> None:
    with pytest.raises(UsageError, match=r"'bert'.*expected distilbert"):
        DistilBertForTokenClassification.loadSavedModel(str(models.tagger))
    with pytest.raises(UsageError, match="labels texts; take SequenceClassifier"):
        TokenClassifier.loadSavedModel(str(models.classifier))
    data = spark.createDataFrame([(0, TEXT)], "id int, text string")
    with pytest.raises(UsageError, match="no column 'body'; there are id, text"):
        DocumentAssembler().setInputCol("body").transform(data)
    with pytest.raises(UsageError, match="'id' is int; expected a string"):
        DocumentAssembler().setInputCol("id").transform(data)
    several = SequenceClassifier.loadSavedModel(str(models.classifier)).setInputCols("document").setOutputCol("class")
    several.setActivation("sigmoid").setMultilabel(True).setThreshold(0.0)
    result = several.transform(DocumentAssembler().setInputCol("text").transform(data))
    assert {each.result for each in getattr(result.first(), "class")} == {"positive", "negative"}
