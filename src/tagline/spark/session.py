"""A Spark session for whoever has none yet, with a clear word where there is no Java."""

from __future__ import annotations

import os
import sys
from typing import Any

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from tagline.errors import UsageError
from tagline.spark.java import ADVICE, prepare_java


def session(master: str | None = None, name: str = "tagline", **settings: Any) -> SparkSession:
    """Starts a Spark session whose executors run this very Python.

    Args:
        master: `local[2]`, `spark://host:7077`, `yarn`, `k8s://…`; None takes that of spark-submit, else `local[*]`.
        name: the application's name.
        settings: further settings, with __ for the point: `spark__executor__memory="4g"`.

    Raises:
        UsageError: there is no Java, or Spark does not start with this master.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # else spark-submit has started the JVM already
        prepare_java()
    if master is None or master.startswith("local"):  # elsewhere executors may have theirs in another place
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    if master is not None:
        builder = builder.master(master)
    for key, value in settings.items():
        builder = builder.config(key.replace("__", "."), str(value))
    try:
        started: SparkSession = builder.getOrCreate()
    except (PySparkRuntimeError, RuntimeError) as error:
        raise UsageError(f"Spark does not start: {error}. {ADVICE}") from error
    except Exception as error:
        if not hasattr(error, "java_exception"):  # py4j's, for what the JVM says
            raise
        said = str(getattr(error, "java_exception")).splitlines()[0]  # noqa: B009 - py4j has no types
        raise UsageError(f"Spark does not start with master {master!r}: {said}") from error
    return started
