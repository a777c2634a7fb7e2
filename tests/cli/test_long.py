"""A sentence far longer than the window trains, predicts and counts whole."""

from __future__ import annotations

import json
from itertools import cycle, islice
from pathlib import Path

from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, call
from tests.cli.test_evaluate import columns

LENGTH = 1300


def test_a_sentence_of_1300_words(workshop: Workshop, tmp_path: Path) -> None:
    words, tags = ([cell for row in column for cell in row] for column in columns(workshop.train, 0, 1))
    pairs = list(islice(cycle(zip(words, tags, strict=True)), LENGTH))
    line = "".join(f"{word}\t{tag}\n" for word, tag in pairs)
    data, model = tmp_path / "long.conll", tmp_path / "model"
    data.write_text(line, encoding="utf-8")
    result = call(
        "train", data, "--dev", data, "-o", model, "--encoder", workshop.encoder, *LEARN, "--set", "window=48", "--json"
    )
    assert result.code == 0, result
    entities = sum(tag.startswith("B-") for _, tag in pairs)
    windows = int(result.err.partition(" sub-tokens in ")[2].split()[0])
    assert windows > LENGTH / 48
    assert json.loads(result.out)["dev"]["strict"]["support"] == entities

    output = tmp_path / "out.conll"
    assert call("predict", model, data, "-o", output).code == 0
    gold, predicted = (column[0] for column in columns(output, 1, 2))
    assert len(predicted) == LENGTH
    assert columns(output, 0)[0][0] == [word for word, _ in pairs]
    assert any(tag != "O" for tag in predicted[-200:])  # the end is read, too

    found = json.loads(call("evaluate", model, data, "--json").out)
    assert found["strict"]["support"] == entities
    hits = sum(one == other for one, other in zip(gold, predicted, strict=True)) / LENGTH
    assert abs(found["words"]["accuracy"] - hits) < 1e-9

    text = " ".join(word for word, _ in pairs)
    (tmp_path / "long.txt").write_text(text + "\n", encoding="utf-8")
    row = json.loads(call("predict", model, tmp_path / "long.txt").out)
    assert row["text"] == text
    assert max(entity["end"] for entity in row["entities"]) > 0.9 * len(text)
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in row["entities"])
