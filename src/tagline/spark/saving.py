"""Stages with a model: saved with the model's folder beside their Params, and loaded in any process."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from pyspark.ml.util import DefaultParamsReader, DefaultParamsWriter

from tagline.errors import OutputError
from tagline.predict.staged import model_facts

MODEL = "model"


class ModelWriter(DefaultParamsWriter):
    """Writes Params and the model folder."""

    def saveImpl(self, path: str) -> None:
        """See pyspark's `MLWriter`."""
        super().saveImpl(path)
        stage: Any = self.instance
        folder = stage.folder()
        target = f"{path.rstrip('/')}/{MODEL}"
        local = local_path(target, self.sparkSession)
        if local is not None:
            try:
                shutil.copytree(folder, local)
            except OSError as error:
                raise OutputError(f"{local}: the model cannot be written there ({error})") from error
            return
        files, place = _hadoop(target, self.sparkSession)
        files.mkdirs(place)
        for each in sorted(folder.iterdir()):
            if each.is_file():
                files.copyFromLocalFile(False, True, _path(str(each), self.sparkSession), place)


class ModelReader(DefaultParamsReader):  # type: ignore[type-arg]
    """Reads what `ModelWriter` has written; from a distributed file system the model is fetched to this machine."""

    def load(self, path: str) -> Any:
        """See pyspark's `MLReader`."""
        stage: Any = super().load(path)
        source = f"{path.rstrip('/')}/{MODEL}"
        local = local_path(source, self.sparkSession)
        if local is None:
            local = Path(tempfile.mkdtemp(prefix="tagline-model-")) / MODEL
            files, place = _hadoop(source, self.sparkSession)
            files.copyToLocalFile(False, place, _path(str(local), self.sparkSession), True)
        stage.setModelPath(str(local))
        return stage


def local_path(path: str, session: Any) -> Path | None:
    """The path on this machine's disk; None for one on another file system."""
    scheme = urlparse(path).scheme
    if not scheme and hasattr(session, "_jsparkSession"):
        scheme = _hadoop(path, session)[0].getUri().getScheme()
    if scheme not in ("", "file"):
        return None
    return Path(unquote(urlparse(path).path)) if path.startswith("file:") else Path(path)


def _hadoop(path: str, session: Any) -> tuple[Any, Any]:
    place = _path(path, session)
    return place.getFileSystem(session.sparkContext._jsc.hadoopConfiguration()), place


def _path(path: str, session: Any) -> Any:
    return session.sparkContext._jvm.org.apache.hadoop.fs.Path(path)


def facts_of(path: str) -> Any:
    """Facts of a folder, or of an archive that Spark has unpacked."""
    from tagline.spark.models import ARCHIVE, archived

    return model_facts(archived(path) if path.startswith(ARCHIVE) else path)
