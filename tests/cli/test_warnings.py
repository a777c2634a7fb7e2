"""Warnings on the command line."""

from __future__ import annotations

import warnings
from pathlib import Path

import tagline.cli
from tagline.cli import warning_line


def test_ours_are_one_line_and_those_of_libraries_stay() -> None:
    ours = str(Path(tagline.cli.__file__).resolve().parent.parent / "foreign" / "kept.py")
    assert warning_line("a: no graph; slower", UserWarning, ours, 88, None) == "warning: a: no graph; slower\n"
    theirs = warnings.formatwarning("old", DeprecationWarning, "/elsewhere/lib.py", 3, "")
    assert warning_line("old", DeprecationWarning, "/elsewhere/lib.py", 3, "") == theirs
    assert "/elsewhere/lib.py:3: DeprecationWarning" in theirs
