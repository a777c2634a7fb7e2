"""`tagline evaluate`: the table, the object, the predictions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2
from tests.cli.conftest import Workshop
from tests.cli.support import call, quiet, refused

KEYS = {"precision", "recall", "f1", "support"}
Column = list[list[str]]


def columns(path: Path, *places: int) -> list[Column]:
    """Columns of a CoNLL file, sentence by sentence."""
    blocks = [block.splitlines() for block in path.read_text("utf-8").split("\n\n")]
    blocks = [[line for line in block if line and not line.startswith("-DOCSTART-")] for block in blocks]
    cells = [[line.replace("\t", " ").split(" ") for line in block] for block in blocks if block]
    return [[[cell[place] for cell in block] for block in cells] for place in places]


def test_the_object_has_the_keys_that_were_promised(workshop: Workshop) -> None:
    result = call("evaluate", workshop.model, workshop.test, "--json")
    assert result.code == 0, result
    assert result.out.count("\n") == 1
    found = json.loads(result.out)
    assert {"task", "strict", "conlleval", "types", "words", "sentences", "seconds"} <= set(found)
    assert found["task"] == "token-classification"
    assert set(found["strict"]) == set(found["conlleval"]) == KEYS
    assert set(found["types"]) == {"LOC", "MISC", "ORG", "PER"}
    assert all(set(scores) == KEYS for scores in found["types"].values())
    assert 0 < found["words"]["accuracy"] < 1
    assert (found["sentences"], found["strict"]["support"]) == (40, 103)
    assert found["seconds"] > 0
    assert result.err == ""


def test_the_scores_are_seqevals_on_the_predictions(workshop: Workshop, tmp_path: Path) -> None:
    output = tmp_path / "predictions.conll"
    result = call("evaluate", workshop.model, workshop.test, "--json", "--predictions", output)
    found = json.loads(result.out)
    gold, predicted = columns(output, 1, 2)
    assert sum(map(len, gold)) > 400
    assert gold != predicted
    report = classification_report(gold, predicted, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    for ours, theirs in [
        (found["strict"], report["micro avg"]),
        *((found["types"][t], report[t]) for t in found["types"]),
    ]:
        assert ours["support"] == theirs["support"]
        for name, other in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert ours[name] == pytest.approx(theirs[other], abs=1e-12)
    assert 0 < found["strict"]["f1"] < 1


def test_the_predictions_are_the_file_with_one_more_column(workshop: Workshop, tmp_path: Path) -> None:
    words, tags = columns(workshop.test, 0, 1)
    lines = ["-DOCSTART- -X- -X- O", ""]
    for number, (sentence, row) in enumerate(zip(words[:6], tags[:6], strict=True)):
        if number == 3:
            lines += ["-DOCSTART- -X- -X- O", ""]
        lines += [*(f"{word} NN I-NP {tag}" for word, tag in zip(sentence, row, strict=True)), ""]
    data, output = tmp_path / "four.txt", tmp_path / "five.txt"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = call("evaluate", workshop.model, data, "--predictions", output, "--json")
    assert result.code == 0, result
    assert json.loads(result.out)["sentences"] == 6
    written = output.read_text("utf-8").split("\n")
    assert len(written) == len(lines) + 1
    for before, after in zip(lines, written, strict=False):
        if not before:
            assert after == ""
        else:
            kept, tag = after.rsplit(" ", 1)
            assert kept == before
            assert tag == "O" or tag[:2] in ("B-", "I-")
    refused(call("evaluate", workshop.model, data, "--predictions", tmp_path / "no" / "five.txt"), "five.txt")


def test_the_table_for_people(workshop: Workshop) -> None:
    result = call("evaluate", workshop.model, workshop.test)
    assert result.code == 0
    found = json.loads(call("evaluate", workshop.model, workshop.test, "--json").out)
    for label, scores in found["types"].items():
        row = next(line for line in result.out.splitlines() if f" {label} " in line)
        for name in ("precision", "recall", "f1"):
            assert f"{scores[name]:.4f}" in row
    for row in ("micro avg", "macro avg", "weighted avg", "conlleval"):
        assert row in result.out
    assert "95 % interval" in result.out
    quiet(result)


def test_words_prints_the_report_of_scikit_learn(workshop: Workshop, tmp_path: Path) -> None:
    from sklearn.metrics import classification_report as token_report

    output = tmp_path / "predictions.conll"
    result = call("evaluate", workshop.model, workshop.test, "--words", "--predictions", output)
    gold, predicted = ([tag for row in column for tag in row] for column in columns(output, 1, 2))
    names = sorted({*gold, *predicted} - {"O"})
    expected = token_report(gold, predicted, labels=names, digits=4, zero_division=0)
    assert expected.strip() in result.out


def test_types_that_the_model_does_not_know_count_as_missed(workshop: Workshop, tmp_path: Path) -> None:
    data = tmp_path / "strange.conll"
    data.write_text(workshop.test.read_text("utf-8").replace("-MISC", "-THING"), encoding="utf-8")
    plain = json.loads(call("evaluate", workshop.model, workshop.test, "--json").out)
    result = call("evaluate", workshop.model, data, "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert "strange.conll has types that the model does not know (THING); all their entities count as missed" in (
        result.err
    )
    assert found["types"]["THING"]["support"] == plain["types"]["MISC"]["support"] > 0
    assert found["types"]["THING"]["recall"] == 0
    assert found["strict"]["support"] == plain["strict"]["support"]
    assert found["types"]["LOC"] == plain["types"]["LOC"]


def test_engines_and_decodings_agree_but_for_rounding(workshop: Workshop) -> None:
    scores = {
        name: json.loads(call("evaluate", workshop.model, workshop.test, "--json", *options).out)["strict"]
        for name, options in {
            "openvino": ("--precision", "f32"),
            "torch": ("--engine", "torch", "--precision", "f32", "--threads", "1"),
            "argmax": ("--argmax", "--precision", "f32"),
        }.items()
    }
    assert scores["openvino"] == scores["torch"]
    assert scores["argmax"] != scores["openvino"]


def test_other_formats_give_the_same_score(workshop: Workshop, tmp_path: Path) -> None:
    words, tags = columns(workshop.test, 0, 1)
    rows = [{"tokens": w, "ner_tags": t} for w, t in zip(words, tags, strict=True)]
    data = tmp_path / "test.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = [json.loads(call("evaluate", workshop.model, path, "--json").out) for path in (workshop.test, data)]
    for each in found:
        each.pop("seconds")
    assert found[0] == found[1]
    for path in (workshop.test, data):
        assert call("evaluate", workshop.model, path, "--predictions", tmp_path / f"{path.suffix}.conll").code == 0
    assert columns(tmp_path / ".conll.conll", 0, 1, 2) == columns(tmp_path / ".jsonl.conll", 0, 1, 2)
