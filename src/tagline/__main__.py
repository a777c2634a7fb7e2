"""`python -m tagline` is the command `tagline`."""

from __future__ import annotations


def _run() -> None:
    from tagline.cli import main

    main()


if __name__ == "__main__":
    _run()
