"""A model as an installable wheel, found by its name."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tagline import __version__
from tagline.data.atomic import atomic_write
from tagline.errors import UsageError
from tagline.folder import CARD, MANIFEST, ModelFolder
from tagline.names import GROUP

VERSION = "1.0.0"


def write_package(folder: ModelFolder, name: str, place: Path) -> Path:
    """Writes a wheel; after `pip install` of it `tagline.load(name)` finds the model.

    The wheel holds the files that the manifest names, and an entry point of the group `tagline.models` that tells
    where they lie. It is written by hand (PEP 427), so that no build tool is needed.

    Args:
        folder: the model.
        name: what it is to be called: letters, digits, `-`, `_` and `.`.
        place: the folder for the wheel.

    Raises:
        UsageError: the name cannot be that of a package, or the folder for the wheel is not there.
        FolderError: a file of the model is damaged.
        OutputError: the wheel cannot be written.
    """
    if re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", name) is None:
        raise UsageError(f"{name!r} cannot be a package's name; rename the folder: letters, digits, '-', '_' and '.'")
    if not place.is_dir():
        raise UsageError(f"-o {place}: no such folder; make it first")
    folder.verify(folder.manifest.files)
    distribution = "tagline_model_" + re.sub(r"[-_.]+", "_", name).lower()
    wheel = place / f"{distribution}-{VERSION}-py3-none-any.whl"
    info = f"{distribution}-{VERSION}.dist-info"
    with atomic_write(wheel, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        records = []
        for inside, content in _contents(folder, name, distribution, info):
            entry = zipfile.ZipInfo(inside, (1980, 1, 1, 0, 0, 0))  # equal models give equal wheels
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            records.append(f"{inside},sha256={digest},{len(content)}\n")
        archive.writestr(f"{info}/RECORD", "".join([*records, f"{info}/RECORD,,\n"]))
    return wheel


def _contents(folder: ModelFolder, name: str, distribution: str, info: str) -> Iterator[tuple[str, bytes]]:
    """Every file of the wheel, with its place in it."""
    yield f"{distribution}/__init__.py", f'"""The model {name} for Tagline."""\n'.encode()
    held = {*folder.manifest.files, MANIFEST, CARD}
    for each in sorted(folder.path.iterdir()):
        if each.is_file() and (each.name in held or not folder.manifest.files):
            yield f"{distribution}/{name}/{each.name}", each.read_bytes()
    metadata = (
        f"Metadata-Version: 2.1\nName: {distribution.replace('_', '-')}\nVersion: {VERSION}\n"
        f"Summary: The model {name} for Tagline\nRequires-Dist: tagline>={__version__}\n"
    )
    yield f"{info}/METADATA", metadata.encode()
    tag = "Wheel-Version: 1.0\nGenerator: tagline\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    yield f"{info}/WHEEL", tag.encode()
    yield f"{info}/entry_points.txt", f"[{GROUP}]\n{name} = {distribution}\n".encode()
