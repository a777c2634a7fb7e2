"""Class names as Hugging Face `datasets` describes them in its features."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tagline.errors import DataError

INFO = "dataset_info.json"


def class_names(features: Any, columns: Sequence[str]) -> tuple[str, ...] | None:
    """Class names of the first of `columns` that is a list of ClassLabel, else None.

    The list is described as `List`, `Sequence` or `LargeList` with a `feature`, or, by old versions, as `[feature]`.
    """
    for column in columns:
        feature = features.get(column) if isinstance(features, Mapping) else None
        while not (isinstance(feature, Mapping) and "names" in feature):
            if isinstance(feature, Mapping) and "feature" in feature:
                feature = feature["feature"]
            elif isinstance(feature, list) and len(feature) == 1:
                feature = feature[0]
            else:
                break
        if isinstance(feature, Mapping) and isinstance(feature.get("names"), list):
            return tuple(str(name) for name in feature["names"])
    return None


def read_json(path: Path) -> Any:
    """The JSON value in a small file.

    Raises:
        DataError: the file cannot be read or is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON ({error}); the file is damaged", path) from None


def names_beside(path: Path, columns: Sequence[str]) -> tuple[str, ...] | None:
    """Class names from the dataset_info.json in the folder of `path`, or None."""
    info = path.parent / INFO
    if not info.is_file():
        return None
    value = read_json(info)
    return class_names(value.get("features"), columns) if isinstance(value, Mapping) else None
