"""`tagline export`: graphs, the certificate in the folder and on its card, refusals that write nothing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import FILES, Result, call, quiet, refused, tree

from tagline.folder import INT8_GRAPH, INT8_WEIGHTS, ONNX, ModelFolder
from tagline.machine import processor_has_bf16


@pytest.fixture(scope="module")
def sample(workshop: Workshop) -> Path:
    path = workshop.folder / "sample.txt"
    lines = [line.split("\t")[0] for line in workshop.test.read_text("utf-8").split("\n")]
    path.write_text(" ".join(lines).replace("  ", "\n"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def exported(workshop: Workshop, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    model = tmp_path_factory.mktemp("export") / "model"
    shutil.copytree(workshop.model, model)
    return model, call("export", model, "--to", "onnx", "--sample", sample, "--json")


def test_onnx_with_its_certificate(workshop: Workshop, sample: Path, exported: tuple[Path, Result]) -> None:
    model, result = exported
    assert result.code == 0, result
    quiet(result)
    found = json.loads(result.out)
    assert (found["to"], found["written"]) == ("onnx", True)
    expected = [("openvino", "f32"), *([("openvino", "bf16")] if processor_has_bf16() else []), ("onnx", "f32")]
    assert [(each["engine"], each["precision"]) for each in found["parity"]] == expected
    for each in found["parity"]:
        assert each["unit"] == "words"
        assert each["count"] > 300
        if each["precision"] == "f32":
            assert each["agreement"] == 1.0
            assert 0 < each["mean"] <= each["largest"] < 1e-4
        else:
            assert 1e-6 < each["mean"] < each["largest"] < 0.5
    assert {each.name for each in model.iterdir() if each.is_file()} == FILES | {ONNX}
    folder = ModelFolder.open(model)
    folder.verify([ONNX, "model.safetensors"])
    records = folder.manifest.parity
    assert [(each["engine"], each["precision"]) for each in records] == expected
    assert records[0]["sample"]["file"] == sample.name
    assert records[0]["versions"].keys() == {"tagline", "torch", "transformers", "openvino"}
    assert records[-1]["versions"].keys() == {"tagline", "torch", "transformers", "onnxruntime"}
    assert records[0]["machine"]["architecture"]
    card = (model / "README.md").read_text("utf-8")
    assert "| onnx | f32 | 100.000 % |" in card
    assert card.startswith((workshop.model / "README.md").read_text("utf-8")[:200])


def test_the_engine_reads_as_the_default_one_does(exported: tuple[Path, Result], sample: Path) -> None:
    model, _ = exported
    one = call("predict", model, sample, "--engine", "onnx")
    other = call("predict", model, sample, "--engine", "openvino", "--precision", "f32")
    assert one.code == other.code == 0, one
    found, expected = ([json.loads(line) for line in each.out.splitlines()] for each in (one, other))
    assert sum(len(each["entities"]) for each in expected) > 20
    for ours, theirs in zip(found, expected, strict=True):
        for entity, twin in zip(ours["entities"], theirs["entities"], strict=True):
            assert entity == {**twin, "score": pytest.approx(twin["score"], abs=1e-4)}


def test_too_little_agreement_writes_nothing(
    workshop: Workshop, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagline.publish import graph

    model = tmp_path / "model"
    shutil.copytree(workshop.model, model)
    before = tree(model)
    right = graph.LogitsOf.forward
    # An exporter that gets the model wrong.
    monkeypatch.setattr(graph.LogitsOf, "forward", lambda self, *inputs: right(self, *inputs).flip(-1))
    result = call("export", model, "--to", "openvino", "--sample", sample)
    assert result.code == 1, result
    assert "openvino" in result.out  # the table is shown all the same
    last = result.err.splitlines()[-1]
    assert last.startswith("tagline: openvino in f32 agrees with PyTorch on")
    assert "--min-agreement is 99.5 %; nothing was written" in last
    assert tree(model) == before
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("calibrated", [True, False])
def test_int8_with_its_loss_on_dev(workshop: Workshop, tmp_path: Path, calibrated: bool) -> None:
    pytest.importorskip("nncf", reason="int8 needs the extra int8")
    model = tmp_path / "model"
    shutil.copytree(workshop.model, model)
    refused(call("predict", model, "--text", "Oslo", "--precision", "int8"), "no int8 graph", "--to int8 --dev")
    result = call(
        "export", model, "--to", "int8", "--dev", workshop.dev, "--max-loss", "5", "--json",
        *(("--calibrate", workshop.train, "--windows", "30") if calibrated else ()),
    )  # fmt: skip
    assert result.code == 0, result
    quiet(result)
    found = json.loads(result.out)
    about = found["int8"]
    assert about["metric"] == "F1"
    assert about["loss"] == pytest.approx(100 * (about["reference"] - about["score"]))
    assert about["loss"] <= 5
    scores = {
        precision: json.loads(
            call("evaluate", model, workshop.dev, "--engine", "openvino", "--precision", precision, "--json").out
        )["strict"]["f1"]
        for precision in ("f32", "int8")
    }
    assert scores == {"f32": about["reference"], "int8": about["score"]}
    folder = ModelFolder.open(model)
    folder.verify([INT8_GRAPH, INT8_WEIGHTS])
    record = next(each for each in folder.manifest.parity if each["precision"] == "int8")
    assert record["dev"]["calibration"].get("file") == (workshop.train.name if calibrated else None)
    assert record["dev"]["loss"] == about["loss"]
    assert 0.5 < record["agreement"] <= 1
    assert record["mean"] > 1e-5
    assert call("predict", model, "--text", "Oslo", "--json").out == call(
        "predict", workshop.model, "--text", "Oslo", "--json"
    ).out  # the default has not changed  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--to", "tflite"], ["'tflite'", "openvino, onnx, int8"]),
        (["--to", "onnx"], ["--sample FILE"]),
        (["--to", "int8", "--sample", "DEV"], ["--dev FILE"]),
        (["--to", "int8", "--calibrate", "DEV"], ["--dev FILE"]),
        (["--to", "onnx", "--sample", "DEV", "--calibrate", "DEV"], ["--to int8"]),
        (["--to", "onnx", "--sample", "DEV", "--min-agreement", "99.5"], ["--min-agreement", "0 to 1"]),
        (["--to", "onnx", "--sample", "DEV", "--sample-texts", "0"], ["--sample-texts"]),
        (["--to", "onnx", "--sample", "absent.txt"], ["absent.txt"]),
        (["--to", "onnx", "--sample", "EMPTY"], ["empty.txt", "empty"]),
        (["--to", "onnx", "--dev", "EMPTY"], ["empty.txt"]),
    ],
)
def test_bad_options(workshop: Workshop, tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    (tmp_path / "empty.txt").write_text("")
    before = tree(workshop.model)
    names = {"DEV": str(workshop.dev), "EMPTY": str(tmp_path / "empty.txt")}
    refused(call("export", workshop.model, *(names.get(each, each) for each in arguments)), *parts)
    assert tree(workshop.model) == before


@pytest.mark.parametrize(
    ("missing", "to", "extra"),
    [("torch", "openvino", "train"), ("onnxscript", "onnx", "onnx"), ("nncf", "int8", "int8")],
)
def test_without_the_extra(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, missing: str, to: str, extra: str
) -> None:
    before = tree(workshop.model)
    for name in [name for name in sys.modules if name.startswith("tagline.publish")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    calibrate = ("--calibrate", workshop.dev, "--windows", "3") if to == "int8" else ()
    refused(
        call("export", workshop.model, "--to", to, "--dev", workshop.dev, *calibrate), f'pip install "tagline[{extra}]"'
    )
    assert tree(workshop.model) == before


def test_a_folder_of_transformers_stays_what_it_is(tmp_path: Path) -> None:
    """A classifier with one segment by its tokenizer's word: sealing the folder must not change how it is read."""
    from tests.predict.tiny_texts import HEADS, LINES, write_classifier

    model = write_classifier("bert-uncased", HEADS["two"], tmp_path / "plain", graph=False)
    config = json.loads((model / "tokenizer_config.json").read_text("utf-8"))
    config["model_input_names"] = ["input_ids", "attention_mask"]
    (model / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "texts.txt").write_text("\n".join(LINES), "utf-8")
    exact = ("predict", model, tmp_path / "texts.txt", "--engine", "torch", "--precision", "f32", "--all-scores")
    before = call(*exact)
    result = call(
        "export", model, "--to", "openvino", "--sample", tmp_path / "texts.txt", "--min-agreement", "0.5", "--json"
    )
    assert result.code == 0, result
    assert [each["unit"] for each in json.loads(result.out)["parity"]][:1] == ["texts"]
    assert json.loads((model / "tagline.json").read_text("utf-8"))["foreign"] is True
    again = call(*exact)
    assert (again.code, again.out) == (0, before.out)
    default = call("predict", model, tmp_path / "texts.txt", "--precision", "f32", "--all-scores")
    for ours, theirs in zip(default.out.splitlines(), again.out.splitlines(), strict=True):
        assert json.loads(ours)["score"] == pytest.approx(json.loads(theirs)["score"], abs=1e-4)
