"""Adds files to a model folder: whole or not at all, the old one in its place until the new one is complete."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagline.data.atomic import atomic_folder, is_mount
from tagline.errors import FolderError, OutputError
from tagline.folder import CARD, MANIFEST, ModelFolder, seal
from tagline.publish.alone import Look, alone, look, refuse_changed
from tagline.publish.card import card_with_parity


def amend(
    path: Path,
    names: Collection[str],
    write: Callable[[Path], None],
    learn: Callable[[Path], dict[str, Any]],
    seen: Look | None = None,
) -> ModelFolder:
    """Makes a folder anew with some files added or replaced.

    The other files are hard links to those of the old folder, so that only what changes takes room and time.

    Args:
        path: the folder.
        names: the files that `write` makes.
        write: is called with the unfinished folder.
        learn: is then called with the folder, sealed, and gives what the manifest learns. Whatever it raises leaves the
            old folder as it was.
        seen: the folder when the caller read it; None: now.

    Raises:
        FolderError: the folder is none, or a file of it is damaged (it would be sealed as it is).
        OutputError: the place cannot be written, or something else changes the folder, too.
    """
    if is_mount(path):
        raise OutputError(
            f"{path} is a mount point, which cannot be replaced whole; copy it and export the copy: "
            f"cp -r {shlex.quote(str(path))} my-model"
        )
    with alone(path):
        seen = seen or look(path)
        refuse_changed(path, seen)
        try:
            _amend(path, names, write, learn, seen)
        except (OSError, FolderError):
            refuse_changed(path, seen)  # files that vanish are then no riddle
            raise
    return ModelFolder.open(path)


def _amend(
    path: Path,
    names: Collection[str],
    write: Callable[[Path], None],
    learn: Callable[[Path], dict[str, Any]],
    seen: Look,
) -> None:
    old = ModelFolder.open(path)
    old.verify(old.manifest.files)
    known = replace(old.manifest, foreign=not old.manifest.ours)
    with atomic_folder(path, overwrite=True) as folder:
        for each in path.iterdir():
            if each.is_dir():
                shutil.copytree(each, folder / each.name, copy_function=link)
            elif each.name == CARD:
                shutil.copy2(each, folder / CARD)
            elif each.name not in {MANIFEST, *names}:
                link(each, folder / each.name)
        write(folder)
        seal(folder, known)
        manifest = replace(known, **learn(folder))
        seal(folder, manifest)
        card = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else None
        (folder / CARD).write_text(card_with_parity(card, manifest, path.name), encoding="utf-8")
        for name in {MANIFEST, CARD, *names}:
            with (folder / name).open("rb") as file:
                os.fsync(file.fileno())
        refuse_changed(path, seen)  # editors and trainings know no lock; last, for the exchange follows at once


def link(source: str | Path, target: str | Path) -> None:
    """Another name for a file, or a copy where the file system has no such names."""
    try:
        os.link(os.path.realpath(source), target)  # a folder of the hub's cache is made of symbolic links
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
