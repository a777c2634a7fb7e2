"""What the app shows, as it travels from the command line to the script that Streamlit runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tagline.errors import DataError, UsageError

LONGEST_EXAMPLES = 200


@dataclass(frozen=True)
class Setup:
    """The app's models and what it offers.

    Attributes:
        models: model folders by the names that people see, at least one.
        examples: texts to click, each with its second text or None; empty takes those of the app.
        engine: fields of `EngineSettings`.
    """

    models: dict[str, str]
    examples: list[tuple[str, str | None]] = field(default_factory=list)
    engine: dict[str, str | int] = field(default_factory=dict)

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Setup:
        """From the line that `to_json` made."""
        values = json.loads(line)
        values["examples"] = [(text, pair) for text, pair in values["examples"]]
        return cls(**values)


def named(folders: list[Path]) -> dict[str, str]:
    """Model folders by their names, with as much of the path before it as tells them apart.

    Args:
        folders: model folders, or names as `tagline.load` takes them.

    Raises:
        UsageError: a folder is named twice.
    """
    paths = [folder.resolve() if folder.is_absolute() or folder.exists() else folder for folder in folders]
    twice = next((folder for at, folder in enumerate(folders) if paths[at] in paths[:at]), None)
    if twice is not None:
        raise UsageError(f"{twice} is given twice; give each model once")
    length = next(
        length
        for length in range(1, max(len(path.parts) for path in paths) + 1)
        if len({path.parts[-length:] for path in paths}) == len(paths)
    )
    return {"/".join(path.parts[-length:]): str(path) for path in paths}


def read_examples(file: Path) -> list[tuple[str, str | None]]:
    """Texts to click: one a line; a tab parts the two texts of a pair. Blank lines are passed over.

    Raises:
        DataError: the file cannot be read, is not UTF-8, has no text or too many.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}); expected a file of texts, one a line", file) from error
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 at byte {error.start}; save it as UTF-8", file) from error
    found: list[tuple[str, str | None]] = []
    for number, line in enumerate(lines, start=1):
        text, tab, pair = line.partition("\t")
        if "\t" in pair:
            raise DataError("has several tabs; expected a text, or two texts with a tab between them", file, number)
        if line.strip():
            found.append((text.strip(), pair.strip() if tab else None))
    if not 1 <= len(found) <= LONGEST_EXAMPLES:
        raise DataError(f"has {len(found)} texts; expected 1 to {LONGEST_EXAMPLES}, one a line", file)
    return found
