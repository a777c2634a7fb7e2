"""The script that Streamlit runs, once for every change on the page."""

from __future__ import annotations

import sys

from tagline.app.home import show
from tagline.app.setup import Setup

show(Setup.from_json(sys.argv[1]))
