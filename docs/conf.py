"""The site of the documentation: `make docs` builds it, every warning is an error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import jupytext
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src"))
from tagline import __version__ as release  # noqa: E402

# Cells of the tutorials run in kernels of their own: they find Tagline and its examples where this build does.
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent / "src"), os.environ.get("PYTHONPATH", "")])
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# They listen on loopback, and warn at every start that this is not encrypted.
PROFILE = HERE.parent / "build" / "docs-ipython" / "profile_default"
PROFILE.mkdir(parents=True, exist_ok=True)
(PROFILE / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.log_level = 40\n", encoding="utf-8")
os.environ["IPYTHONDIR"] = str(PROFILE.parent)

project = "Tagline"
author = "the authors of Tagline"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["pictures"]

html_theme = "furo"
html_title = f"Tagline {release}"
html_static_path: list[str] = []
html_copy_source = False
html_show_copyright = False

myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # an ellipsis in an example of JSON
copybutton_exclude = ".linenos, .gp, .go"

# Docstrings are in Google's style; a word in backquotes is code.
default_role = "code"
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True

nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "build" / "docs-cache")
nb_execution_timeout = 3600
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_output_stderr = "remove"  # progress
nb_merge_streams = True


def _notebooks(app: Sphinx, error: Exception | None) -> None:
    """Beside the page of each tutorial its notebook, made from the same source."""
    if error is not None or app.builder.name != "html":
        return
    for source in sorted((HERE / "tutorials").glob("*.md")):
        text = source.read_text("utf-8")
        if text.startswith("---") and "jupytext" in text.split("---")[1]:
            place = Path(app.outdir) / "tutorials" / f"{source.stem}.ipynb"
            jupytext.write(jupytext.reads(text, fmt="md:myst"), place)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("build-finished", _notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
