"""Jobs: errors, killed workers, streams, SQL, files, and what is told where something is missing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest
from pyspark.sql import functions
from tests.cli.support import ROOT, environment, spawn
from tests.spark.conftest import Models

import tagline
from tagline.errors import FolderError, UsageError
from tagline.spark import BertForTokenClassification, DocumentAssembler, counts, predict, register

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
TEXT = "John Parker moved to New York ."


def entities(model: Path, text: str) -> list[tuple[str, int, int, str]]:
    tagger: Any = tagline.load(model)
    return [(each.label, each.start, each.end, each.text) for each in tagger(text)]


def broken(spark: Any) -> Any:
    """Three rows of which the second is no UTF-8."""
    rows = [(0, TEXT.encode()), (1, b"caf\xe9"), (2, TEXT.encode())]
    return spark.createDataFrame(rows, "id int, raw binary").withColumn("text", functions.col("raw").cast("string"))


def test_unreadable_row_has_an_error_and_its_neighbours_their_answers(spark: Any, models: Models) -> None:
    before = counts(spark).errors
    found = {row.id: row for row in predict(broken(spark), models.tagger).collect()}
    assert "not UTF-8: byte 0xe9 at 3" in found[1].tagline_error
    assert found[1].entities == []
    for number in (0, 2):
        assert found[number].tagline_error is None
        assert [tuple(each)[:1] + tuple(each)[2:] for each in found[number].entities] == entities(models.tagger, TEXT)
    assert counts(spark).errors == before + 1
    assembled = DocumentAssembler().setInputCol("text").setErrorCol("why").transform(broken(spark))
    staged = BertForTokenClassification.loadSavedModel(str(models.tagger)).setInputCols("document").setOutputCol("ner")
    staged = staged.setErrorCol("why")
    assert sorted(row.id for row in staged.transform(assembled).filter("why is not null").collect()) == [1]


def test_unreadable_row_fails_the_job_where_that_is_asked_for(spark: Any, models: Models) -> None:
    answers = predict(broken(spark), models.tagger, fail_on_error=True)
    with pytest.raises(Exception, match="failOnError is set"):
        answers.collect()


def test_broadcast_model_answers_where_the_path_is_gone(spark: Any, models: Models, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    shutil.copytree(models.tagger, gone)
    (gone / "README.md").write_text("another card")
    data = spark.createDataFrame([(TEXT,)], "text string")
    answers = predict(data, gone, travel="broadcast")
    shutil.rmtree(gone)
    (row,) = answers.collect()
    assert [tuple(each)[:1] + tuple(each)[2:] for each in row.entities] == entities(models.tagger, TEXT)


def test_archive_is_unpacked_by_spark(spark: Any, models: Models, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "ner"), "zip", models.tagger)
    with pytest.raises(FolderError, match=r"addArchive\(.MODEL.zip#absent.\)"):
        BertForTokenClassification.loadSavedModel("archive:absent")
    spark.sparkContext.addArchive(f"{packed}#ner")
    (row,) = predict(spark.createDataFrame([(TEXT,)], "text string"), "archive:ner").collect()
    assert [tuple(each)[:1] + tuple(each)[2:] for each in row.entities] == entities(models.tagger, TEXT)


def test_script_is_submitted_with_its_model_in_an_archive(models: Models, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "ner"), "zip", models.tagger)
    pq.write_table(pa.table({"id": [0, 1], "text": [TEXT, None]}), tmp_path / "in.parquet")
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    settings = ("spark.ui.enabled=false", "spark.driver.memory=512m", "spark.log.level=ERROR")
    command = [
        str(submit), "--master", "local[1]", "--archives", f"{packed}#ner",
        *(part for each in settings for part in ("--conf", each)),
        str(ROOT / "examples" / "spark_job.py"), "archive:ner", str(tmp_path / "in.parquet"), str(tmp_path / "out"),
    ]  # fmt: skip
    variables = {**environment(), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "2 rows, 0 with an error, models opened: 1" in done.stdout
    found = {row["id"]: row for row in pq.read_table(tmp_path / "out").to_pylist()}
    assert found[0]["finished_chunk"] == [text for *_, text in entities(models.tagger, TEXT)]
    assert found[1]["finished_chunk"] == []


def test_killed_worker_loses_no_row_and_doubles_none(spark: Any, models: Models, tmp_path: Path) -> None:
    count = 4000
    data = spark.range(0, count, 1, 8).withColumn("text", functions.lit(TEXT))
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 120
        while not killed and time.monotonic() < until:
            if list(tmp_path.glob("out/_temporary/0/task_*")):  # half-way: some tasks are done, others run
                for each in psutil.Process().children(recursive=True):
                    with suppress(psutil.Error):  # it has ended meanwhile
                        if "CoarseGrainedExecutorBackend" in " ".join(each.cmdline()):
                            os.kill(each.pid, signal.SIGKILL)
                            killed.append(each.pid)
                            return
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    predict(data, models.tagger).write.parquet(str(tmp_path / "out"))
    killer.join()
    assert killed, "the job was over before an executor could be killed"
    table = pq.read_table(tmp_path / "out")
    assert sorted(table["id"].to_pylist()) == list(range(count))
    assert all(table["entities"].combine_chunks().flatten().field("label").is_valid().to_pylist())


def test_stream_is_read_as_it_comes(spark: Any, models: Models, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(3):
        rows = [json.dumps({"id": number * 10 + each, "text": TEXT}) for each in range(10)]
        (source / f"{number}.json").write_text("\n".join(rows))
    stream = spark.readStream.schema("id int, text string").option("maxFilesPerTrigger", 1).json(str(source))
    query = (
        predict(stream, models.tagger)
        .writeStream.format("parquet").option("path", str(tmp_path / "out"))
        .option("checkpointLocation", str(tmp_path / "checks")).trigger(availableNow=True).start()
    )  # fmt: skip
    assert query.awaitTermination(180)
    table = spark.read.parquet(str(tmp_path / "out"))
    assert sorted(row.id for row in table.select("id").collect()) == list(range(30))
    assert table.filter("size(entities) > 0").count() == 30


def test_sql_calls_the_model(spark: Any, models: Models) -> None:
    register(spark, "who", models.tagger)
    register(spark, "mood", models.classifier)
    (row,) = spark.sql(
        f"SELECT who('{TEXT}').entities AS found, mood('I really like that movie').label AS said"
    ).collect()
    assert [(each.label, each.start, each.end, each.text) for each in row.found] == entities(models.tagger, TEXT)
    assert row.said == "positive"
    assert spark.sql("SELECT who(CAST(NULL AS STRING)).entities AS found").first().found == []


def test_unknown_settings_are_refused(spark: Any, models: Models) -> None:
    data = spark.createDataFrame([(TEXT,)], "text string")
    with pytest.raises(UsageError, match="unknown settings treads"):
        predict(data, models.tagger, treads=3)
    with pytest.raises(UsageError, match="leave pair away"):
        predict(data, models.tagger, pair="text")


def test_memory_does_not_grow_with_the_partition(models: Models) -> None:
    from tagline.predict.staged import model_facts
    from tagline.spark.models import ModelRef
    from tagline.spark.reading import Answer
    from tagline.spark.work import Output, Work

    facts = model_facts(models.tagger)
    step = Answer("answer", ("text",), ModelRef(str(facts.path), facts.fingerprint, True))
    work = Work((("text", False),), (step,), (Output("entities", "answer", "entities"),), threads=1)
    taken = given = most = 0

    def batches() -> Any:
        nonlocal taken
        for _ in range(20):
            taken += 1000
            yield pa.array([TEXT] * 1000)

    for block in work.run(batches()):
        given += len(block)
        most = max(most, taken - given)
    assert given == 20_000
    assert most <= 10_000  # what waits is bounded, whatever is still to come


def test_folders_of_files_on_the_command_line(models: Models, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.jsonl").write_text("".join(json.dumps({"id": each, "text": TEXT}) + "\n" for each in range(5)))
    more: dict[str, Any] = {"SPARK_LOCAL_IP": "127.0.0.1", "TMPDIR": str(tmp_path)}
    done = spawn("predict", models.tagger, source, tmp_path / "out.csv", "--spark", "local[1]", **more)
    assert done.code == 0, done.err
    assert "5 rows" in done.err
    lines = [line for file in (tmp_path / "out.csv").glob("*.csv") for line in file.read_text("utf-8").splitlines()]
    assert lines[0] == "id,text,entities,tagline_error"
    assert len(lines) == 6
    assert "John Parker" in lines[1]
    again = spawn("predict", models.tagger, source, tmp_path / "out.csv", "--spark", "local[1]", **more)
    assert again.code == 2
    assert "is there already" in again.err


def test_without_pyspark_the_extra_is_named() -> None:
    code = (
        "import sys\nsys.modules['pyspark'] = None\n"
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'pyspark' else find(name, *more)\nimport tagline.spark\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert 'pip install "tagline[spark]"' in done.stderr
    assert "MissingExtraError" in done.stderr
