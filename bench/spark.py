"""The figures of tagline.spark: throughput, two executors against one, a killed executor, loads, memory of a worker.

    python bench/spark.py build/accuracy/conll2003-3 --sentences 200000

Each part runs in a process of its own (a JVM is started once a process).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
from common import DATA, ROOT, as_written

PARTS = ("local", "single", "transformers", "one", "two", "killed", "memory")


def sentences(count: int) -> list[str]:
    """Sentences of CoNLL-2003, as a person would write them, repeated until there are enough."""
    from tagline.data.corpus import read_corpus

    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    texts = [as_written(each.words) for each in corpus.sentences]
    return [texts[place % len(texts)] for place in range(count)]


def session(master: str, **settings: Any) -> Any:
    """A Spark session without a web page."""
    from tagline import spark

    return spark.session(
        master, "bench", spark__ui__enabled="false", spark__ui__showConsoleProgress="false", spark__log__level="ERROR",
        spark__driver__host="127.0.0.1", spark__driver__bindAddress="127.0.0.1", **settings,
    )  # fmt: skip


def table(spark: Any, texts: list[str], folder: Path, partitions: int) -> Any:
    """The texts as a Parquet folder of so many files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(texts) // partitions)
    for number in range(partitions):
        part = texts[number * size : (number + 1) * size]
        ids = range(number * size, number * size + len(part))
        pq.write_table(pa.table({"id": pa.array(ids), "text": pa.array(part)}), folder / f"{number}.parquet")
    return spark.read.parquet(str(folder))


def timed(frame: Any) -> float:
    """Seconds until all rows are through, written nowhere."""
    started = time.perf_counter()
    frame.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - started


def pipeline(model: Path, spark: Any) -> list[Any]:
    """The classic four stages."""
    from tagline.spark import DocumentAssembler, NerConverter, TokenClassifier, Tokenizer

    tags = TokenClassifier.loadSavedModel(str(model), spark).setInputCols(["document", "token"]).setOutputCol("ner")
    return [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        Tokenizer().setInputCols(["document"]).setOutputCol("token"),
        tags,
        NerConverter().setInputCols(["document", "token", "ner"]).setOutputCol("chunk"),
    ]


def on_spark(model: Path, count: int, master: str, home: Path, **settings: Any) -> dict[str, Any]:
    """Sentences per second of the pipeline, and of `predict`, after start-up."""
    from pyspark.ml import Pipeline

    from tagline.spark import counts, predict

    spark = session(master, **settings)
    texts = sentences(count)
    data = table(spark, texts, home / "in", 16)
    fitted = Pipeline(stages=pipeline(model, spark)).fit(data)
    warm = table(spark, texts[:256], home / "warm", 8)
    timed(fitted.transform(warm))
    timed(predict(warm, model))
    rates = {"pipeline": count / timed(fitted.transform(data)), "predict": count / timed(predict(data, model))}
    loads = sorted(counts(spark).loads.values())
    spark.stop()
    return {**rates, "loads": loads}


def single(model: Path, count: int) -> dict[str, Any]:
    """Sentences per second of Tagline's own single process, all cores."""
    import tagline

    tagger: Any = tagline.load(model)
    texts = sentences(count)
    list(tagger.stream(texts[:256]))
    started = time.perf_counter()
    for _ in tagger.stream(texts):
        pass
    return {"single": count / (time.perf_counter() - started)}


def transformers_udf(model: Path, count: int, home: Path) -> dict[str, Any]:
    """Sentences per second of a plain pandas function around `transformers.pipeline`, which each worker makes once."""
    from pyspark.sql import functions

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        import pandas as pd
        import torch
        from transformers import pipeline as hf

        torch.set_num_threads(1)
        ner: Any = hf("token-classification", model=str(model), aggregation_strategy="simple")
        for batch in batches:
            yield pd.Series([json.dumps(ner(text), default=str) for text in batch])

    import pandas as pd

    pandas_udf: Any = vars(functions)["pandas_udf"]  # left out of pyspark's types
    read.__annotations__ = {"batches": Iterator[pd.Series], "return": Iterator[pd.Series]}
    spark = session("local[2]")
    function = pandas_udf(read, "string")
    data = table(spark, sentences(count), home / "in", 2)
    warm = table(spark, sentences(16), home / "warm", 2)
    once = timed(warm.select(function("text")))  # what making the pipeline costs a task; taken off below
    seconds = timed(data.select(function("text")))
    spark.stop()
    return {"transformers": count / seconds, "transformers_without_start": count / max(seconds - once, 1e-9)}


def killed(model: Path, count: int, home: Path) -> dict[str, Any]:
    """Rows lost and doubled where an executor is killed half-way."""
    import psutil
    import pyarrow.parquet as pq

    from tagline.spark import predict

    spark = session("local-cluster[2,1,1024]", spark__executor__memory="512m")
    data = table(spark, sentences(count), home / "in", 16)
    gone: list[int] = []

    def kill() -> None:
        while not gone:
            if len(list((home / "out").glob("_temporary/0/task_*"))) >= 8:
                for each in psutil.Process().children(recursive=True):
                    with suppress(psutil.Error):  # it has ended meanwhile
                        if "CoarseGrainedExecutorBackend" in " ".join(each.cmdline()):
                            os.kill(each.pid, signal.SIGKILL)
                            gone.append(each.pid)
                            return
            time.sleep(0.01)

    threading.Thread(target=kill, daemon=True).start()
    predict(data, model).write.parquet(str(home / "out"))
    ids = pq.read_table(home / "out", columns=["id"])["id"].to_pylist()
    spark.stop()
    return {"killed": len(gone), "lost": count - len(set(ids)), "doubled": len(ids) - len(set(ids))}


def memory(model: Path, count: int, home: Path) -> dict[str, Any]:
    """Most memory (MiB) of a Python worker over a partition, and over one ten times as large."""
    import psutil

    from tagline.spark import predict

    spark = session("local[1]")
    peaks = []
    for factor in (1, 10):
        data = table(spark, sentences(count * factor), home / f"in{factor}", 1)
        most, done = 0, threading.Event()

        def watch(done: threading.Event = done) -> None:
            nonlocal most
            while not done.wait(0.05):
                for each in psutil.Process().children(recursive=True):
                    try:
                        if "python" in each.name() and "daemon" in " ".join(each.cmdline()):
                            most = max(most, each.memory_info().rss)
                    except psutil.Error:
                        continue

        watcher = threading.Thread(target=watch)
        watcher.start()
        timed(predict(data, model))
        done.set()
        watcher.join()
        peaks.append(most / 2**20)
    spark.stop()
    return {"peak": peaks[0], "peak_ten_times": peaks[1], "growth": peaks[1] / peaks[0] - 1}


def part(name: str, model: Path, count: int) -> dict[str, Any]:
    """One part, in this process."""
    home = Path(tempfile.mkdtemp(prefix="bench-spark-"))
    small = {"spark__executor__memory": "512m"}
    try:
        if name == "local":
            return on_spark(model, count, "local[2]", home)
        if name == "single":
            return single(model, count)
        if name == "transformers":
            return transformers_udf(model, max(32, count // 50), home)
        if name in ("one", "two"):
            return on_spark(model, count // 2, f"local-cluster[{'12'[name == 'two']},1,1024]", home, **small)
        if name == "killed":
            return killed(model, max(64, count // 10), home)
        return memory(model, max(64, count // 20), home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def measure(model: Path, count: int, parts: tuple[str, ...] = PARTS) -> dict[str, Any]:
    """All parts, one after the other, each in a process of its own."""
    found: dict[str, Any] = {"sentences": count}
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    for name in parts:
        command = [sys.executable, __file__, str(model.absolute()), "--sentences", str(count), "--part", name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise SystemExit(f"bench: spark {name} failed\n{done.stderr[-4000:]}")
        found[name] = json.loads(done.stdout.splitlines()[-1])
        print(f"bench: spark {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--sentences", type=int, default=200_000)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(part(options.part, options.model, options.sentences)))
    else:
        print(json.dumps(measure(options.model, options.sentences, tuple(options.only)), indent=1))


if __name__ == "__main__":
    main()
