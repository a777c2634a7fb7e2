"""One process of the Spark measurement: it starts what its name says, then does the jobs that it is sent.

    python bench/spark_jobs.py local2 MODEL        reads {"job": "predict", "count": 1000} and answers {"seconds": …}

`bench/spark.py` starts several of these and sends them jobs in turn, so that the figures of a round are neighbours in
time. A job that is sent without its start-up having been paid for goes over a few sentences first.
"""

from __future__ import annotations

import json
import os
import signal
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
from common import DATA, as_written

MASTERS = {
    "local1": "local[1]",
    "local2": "local[2]",
    "transformers": "local[2]",
    "one": "local-cluster[1,1,1024]",
    "two": "local-cluster[2,1,1024]",
}
WITHOUT_SPARK = {"single": 0, "thread": 1}
"""Tagline's own process, with threads: all, or one."""
ANSWER = "answer: "
WARM = 512


def sentences(count: int) -> list[str]:
    """Sentences of CoNLL-2003 test, as a person would write them, repeated until there are enough."""
    from tagline.data.corpus import read_corpus

    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    texts = [as_written(each.words) for each in corpus.sentences]
    return [texts[place % len(texts)] for place in range(count)]


class Plain:
    """Tagline without Spark."""

    def __init__(self, model: Path, threads: int) -> None:
        from tagline.engines import EngineSettings
        from tagline.predict.tagger import Tagger

        self._tagger = Tagger.open(model, EngineSettings(threads=threads))

    def do(self, order: dict[str, Any]) -> dict[str, Any]:
        """Seconds for so many sentences."""
        texts = sentences(order["count"])
        for _ in self._tagger.stream(texts[:WARM]):
            pass
        started = time.perf_counter()
        for _ in self._tagger.stream(texts):
            pass
        return {"seconds": time.perf_counter() - started}


class OnSpark:
    """A Spark session with a master."""

    def __init__(self, model: Path, name: str, home: Path) -> None:
        from tagline import spark

        self.model, self.home = model, home
        quiet: dict[str, Any] = {
            "spark__ui__enabled": "false", "spark__ui__showConsoleProgress": "false", "spark__log__level": "ERROR",
            "spark__driver__host": "127.0.0.1", "spark__driver__bindAddress": "127.0.0.1",
            "spark__executor__memory": "512m",
        }  # fmt: skip
        self.session = spark.session(MASTERS[name], "bench", **quiet)
        self._made: dict[tuple[int, int], Any] = {}

    def table(self, count: int, files: int) -> Any:
        """The sentences as a Parquet folder of so many files, which are as many partitions."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if (count, files) not in self._made:
            folder = self.home / f"{count}-{files}"
            folder.mkdir(parents=True)
            texts, size = sentences(count), -(-count // files)
            for number in range(files):
                part = texts[number * size : (number + 1) * size]
                ids = range(number * size, number * size + len(part))
                pq.write_table(pa.table({"id": pa.array(ids), "text": pa.array(part)}), folder / f"{number}.parquet")
            self._made[count, files] = self.session.read.parquet(str(folder))
        return self._made[count, files]

    def do(self, order: dict[str, Any]) -> dict[str, Any]:
        """Does one job."""
        job = str(order["job"])
        if job == "pin":
            return {"pinned": self._pin()}
        if job == "loads":
            return self._loads()
        if job == "killed":
            return self._killed(order["count"])
        made = {"predict": self._predict, "int8": self._int8, "stages": self._stages, "transformers": self._hf}[job]
        _through(made(self.table(WARM, 4)))  # workers that were idle for a minute have gone; new ones open the model
        seconds = _through(made(self.table(order["count"], order.get("files", 8))))
        return {"seconds": seconds, "peaks": [_peak(each) for each in _workers()]}

    def _predict(self, frame: Any) -> Any:
        from tagline.spark import predict

        return predict(frame, self.model)

    def _int8(self, frame: Any) -> Any:
        from tagline.spark import predict

        return predict(frame, self.model, precision="int8")

    def _stages(self, frame: Any) -> Any:
        """The classic four."""
        from pyspark.ml import Pipeline

        from tagline.spark import DocumentAssembler, NerConverter, TokenClassifier, Tokenizer

        tags = TokenClassifier.loadSavedModel(str(self.model), self.session)
        stages = [
            DocumentAssembler().setInputCol("text").setOutputCol("document"),
            Tokenizer().setInputCols(["document"]).setOutputCol("token"),
            tags.setInputCols(["document", "token"]).setOutputCol("ner"),
            NerConverter().setInputCols(["document", "token", "ner"]).setOutputCol("chunk"),
        ]
        return Pipeline(stages=stages).fit(frame).transform(frame)

    def _hf(self, frame: Any) -> Any:
        """A plain pandas function around `transformers.pipeline`, which each worker makes once."""
        import pandas as pd
        from pyspark.sql import functions

        model = str(self.model)

        def read(batches: Iterator[Any]) -> Iterator[Any]:
            import torch
            import transformers

            kept = vars(transformers)  # a module outlives the task
            if "bench_pipeline" not in kept:
                torch.set_num_threads(1)
                make: Any = transformers.pipeline
                kept["bench_pipeline"] = make("token-classification", model=model, aggregation_strategy="simple")
            for batch in batches:
                yield pd.Series([json.dumps(kept["bench_pipeline"](text), default=str) for text in batch])

        read.__annotations__ = {"batches": Iterator[pd.Series], "return": Iterator[pd.Series]}
        pandas_udf: Any = vars(functions)["pandas_udf"]  # left out of pyspark's types
        return frame.select(pandas_udf(read, "string")("text"))

    def _loads(self) -> dict[str, Any]:
        from tagline.spark import counts

        for _ in range(2):
            _through(self._stages(self.table(WARM, 8)))
            _through(self._predict(self.table(WARM, 8)))
        return {"loads": sorted(counts(self.session).loads.values())}

    def _pin(self) -> int:
        """Gives each executor, its JVM and its Python workers, a core of its own."""
        import psutil

        executors = _executors()
        for core, each in zip(sorted(os.sched_getaffinity(0)), executors, strict=False):
            for process in (each, *each.children(recursive=True)):
                for thread in process.threads():
                    with suppress(OSError, psutil.Error):  # it has ended meanwhile
                        os.sched_setaffinity(thread.id, {core})
        return len(executors)

    def _killed(self, count: int) -> dict[str, Any]:
        """Kills an executor when half the rows are counted, and looks at what was written."""
        import pyarrow.parquet as pq

        from tagline.spark import counts

        frame, out = self.table(count, 16), self.home / "out"
        before, gone, over = counts(self.session).rows, [], threading.Event()

        def kill() -> None:
            while not over.wait(0.02):
                if counts(self.session).rows - before >= count // 2 and (found := _executors()):
                    os.kill(found[0].pid, signal.SIGKILL)
                    gone.append(counts(self.session).rows - before)
                    return

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        self._predict(frame).write.parquet(str(out))
        over.set()
        killer.join()
        table = pq.read_table(out)
        ids = table["id"].to_pylist()
        without = table["entities"].null_count
        return {"rows": count, "after": gone, "lost": count - len(set(ids)), "doubled": len(ids) - len(set(ids)),
                "unread": without}  # fmt: skip


def _through(frame: Any) -> float:
    """Seconds until all rows are through, written nowhere."""
    started = time.perf_counter()
    frame.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - started


def _executors() -> list[Any]:
    return [each for each in _children() if "CoarseGrainedExecutorBackend" in " ".join(_said(each))]


def _workers() -> list[Any]:
    """The Python workers: children of a daemon."""
    daemons = {each.pid for each in _children() if "pyspark.daemon" in " ".join(_said(each))}
    return [each for each in _children() if each.pid in daemons and each.ppid() in daemons]


def _children() -> list[Any]:
    import psutil

    return list(psutil.Process().children(recursive=True))


def _said(process: Any) -> list[str]:
    import psutil

    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _peak(process: Any) -> float:
    """Most memory (MiB) that a process has held."""
    text = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="ignore")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Reads orders until there are no more."""
    name, model = sys.argv[1], Path(sys.argv[2]).absolute()
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as home:
        doer: Plain | OnSpark
        doer = Plain(model, WITHOUT_SPARK[name]) if name in WITHOUT_SPARK else OnSpark(model, name, Path(home))
        print(ANSWER + json.dumps({"ready": name}), flush=True)
        for line in sys.stdin:
            print(ANSWER + json.dumps(doer.do(json.loads(line))), flush=True)
        if isinstance(doer, OnSpark):
            doer.session.stop()


if __name__ == "__main__":
    main()
