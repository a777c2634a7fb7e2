"""A Spark session for whoever has none yet, with a clear word where there is no Java."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from tagline.errors import UsageError

JAVA = 17
_ADVICE = (
    f"Spark 4 runs on Java {JAVA} or newer. Install one (Debian, Ubuntu: apt-get install default-jre-headless; macOS: "
    "brew install openjdk; conda: conda install openjdk), or set JAVA_HOME to where it lies"
)


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
        check_java()
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
        raise UsageError(f"Spark does not start: {error}. {_ADVICE}") from error
    except Exception as error:
        if not hasattr(error, "java_exception"):  # py4j's, for what the JVM says
            raise
        said = str(getattr(error, "java_exception")).splitlines()[0]  # noqa: B009 - py4j has no types
        raise UsageError(f"Spark does not start with master {master!r}: {said}") from error
    return started


def check_java() -> None:
    """Looks for a Java that Spark runs on.

    Raises:
        UsageError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise UsageError(f"no Java found ({f'JAVA_HOME is {home}' if home else 'no java on the PATH'}). {_ADVICE}")
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
        said = done.stderr.split('"')[1] if '"' in done.stderr else ""
        number = int(said.removeprefix("1.").partition(".")[0].partition("-")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return  # Spark itself will say what is wrong
    if number < JAVA:
        raise UsageError(f"{java} is Java {said}. {_ADVICE}")
