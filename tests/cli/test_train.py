"""`tagline train`: the folder it makes, its options, what it says."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import FILES, LEARN, NOISE, call, on_terminal, quiet, refused, spawn, tree

import make_corpus
from tagline.cli.progress import training
from tagline.folder import ModelFolder, fingerprint
from tagline.train.callbacks import ProgressEvent

TAGS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
BRIEF = (*LEARN, "--epochs", "1")  # the last one counts


def train(workshop: Workshop, output: Path, *more: object) -> tuple[object, ...]:
    return ("train", workshop.train, "-o", output, "--encoder", workshop.encoder, *BRIEF, *more)


def test_the_folder_has_what_was_promised(workshop: Workshop) -> None:
    assert {path.name for path in workshop.model.iterdir()} == {*FILES, "runs"}
    assert list((workshop.model / "runs").glob("events.out.tfevents.*"))
    assert not list(workshop.folder.glob("*.training"))
    assert not list(workshop.folder.glob(".*"))  # nothing unfinished
    config = json.loads((workshop.model / "config.json").read_text())
    assert config["id2label"] == {str(number): tag for number, tag in enumerate(TAGS)}
    assert config["label2id"] == {tag: number for number, tag in enumerate(TAGS)}
    assert json.loads((workshop.model / "tokenizer_config.json").read_text())["model_max_length"] == 256
    rights = {stat.S_IMODE((workshop.model / name).stat().st_mode) for name in FILES}
    assert len(rights) == 1, "some files are for their owner alone"


def test_the_manifest_says_how_the_model_was_made(workshop: Workshop) -> None:
    manifest = ModelFolder.open(workshop.model).manifest
    training = manifest.training
    assert training["settings"]["seed"] == 13
    assert training["settings"]["epochs"] == 4
    assert training["settings"]["freeze_embeddings"] is False
    assert len(training["dev_score_by_epoch"]) == 4
    for role, path in (("train", workshop.train), ("dev", workshop.dev), ("test", workshop.test)):
        assert training["data"][role]["sha256"] == fingerprint(path)
        assert training["data"][role]["file"] == path.name
    assert {"python", "tagline", "torch", "transformers", "openvino"} <= set(training["versions"])
    assert set(manifest.metrics) == {"dev", "test"}
    assert manifest.metrics["dev"]["strict"]["f1"] > 0.05
    assert set(manifest.files) == FILES - {"README.md", "tagline.json"}
    assert all(fingerprint(workshop.model / name) == digest for name, digest in manifest.files.items())
    card = (workshop.model / "README.md").read_text()
    assert f"F1 {100 * manifest.metrics['test']['strict']['f1']:.2f}" in card


def test_the_folder_loads_in_plain_transformers(workshop: Workshop) -> None:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    model, found = AutoModelForTokenClassification.from_pretrained(workshop.model, output_loading_info=True)
    assert not any(found.values()), found
    assert model.config.id2label == dict(enumerate(TAGS))
    batch = AutoTokenizer.from_pretrained(workshop.model)("John lives in Oslo .", return_tensors="pt")
    with torch.inference_mode():
        assert model(**batch).logits.shape == (1, batch["input_ids"].shape[1], len(TAGS))


def test_it_says_what_it_reads_and_how_far_it_is(workshop: Workshop) -> None:
    result = workshop.training
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0].startswith("train: 240 sentences, ")
    assert lines[1].startswith("dev: 40 sentences, ")
    assert [line.split(":")[0] for line in lines if line.startswith("epoch ")] == [f"epoch {n}" for n in range(1, 5)]
    assert any(
        re.fullmatch(rf"dev \({re.escape(str(workshop.dev))}\), openvino in (bf16|f32):", line) for line in lines
    )
    assert lines[-2:] == [f"model: {workshop.model}", f'next: tagline predict {workshop.model} --text "…"']
    quiet(result)


def test_json_prints_one_object(workshop: Workshop, tmp_path: Path) -> None:
    result = call(*train(workshop, tmp_path / "m", "--dev", workshop.dev, "--json"))
    assert result.code == 0, result
    scores = json.loads(result.out)
    assert set(scores) == {"dev"}
    assert scores == ModelFolder.open(tmp_path / "m").manifest.metrics
    assert scores["dev"]["strict"]["support"] == 96


def test_without_dev_and_test(workshop: Workshop, tmp_path: Path) -> None:
    result = call(*train(workshop, tmp_path / "deep" / "er" / "m", "--json"))
    assert (result.code, json.loads(result.out)) == (0, {})
    assert {path.name for path in (tmp_path / "deep" / "er").iterdir()} == {"m"}
    assert call("predict", tmp_path / "deep" / "er" / "m", "--text", "Oslo").code == 0


def test_same_seed_same_weights(workshop: Workshop, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert call(*train(workshop, tmp_path / name, "--seed", seed)).code == 0
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    graphs = {(tmp_path / name / "openvino_model.bin").read_bytes() for name in "ab"}
    assert len(graphs) == 1


def test_set_takes_any_setting(workshop: Workshop, tmp_path: Path) -> None:
    pairs = {"scheduler": "cosine", "window": 40, "overlap": 5, "dropout": 0.0, "shapes": False, "scheme": "IOBES"}
    options = [part for name, value in pairs.items() for part in ("--set", f"{name}={value}")]
    assert call(*train(workshop, tmp_path / "m", *options)).code == 0
    folder = ModelFolder.open(tmp_path / "m")
    assert {name: folder.manifest.training["settings"][name] for name in pairs} == pairs
    assert (folder.manifest.window, folder.manifest.overlap, folder.manifest.shapes) == (40, 5, False)
    assert "S-LOC" in folder.labels


def test_names_are_shown_and_kept(workshop: Workshop, tmp_path: Path) -> None:
    names = tmp_path / "names.tsv"
    names.write_text("city\tPort Maribel\nriver\tAnselm\n", encoding="utf-8")
    options = ("--gazetteer", names, "--set", "train_names=true", "--json")
    result = call(*train(workshop, tmp_path / "m", "--dev", workshop.dev, *options))
    assert result.code == 0
    assert re.search(
        r"^names: \d+ names of 6 kinds; in dev they find \d+ % of the words of names", result.err, re.MULTILINE
    )
    folder = ModelFolder.open(tmp_path / "m")
    assert folder.manifest.gazetteer
    assert folder.manifest.training["names"]["list"] == {"file": "names.tsv", "sha256": fingerprint(names), "names": 2}
    assert "gazetteer.json" in folder.manifest.files
    assert f"`names.tsv` (SHA-256 `{fingerprint(names)[:16]}…`), 2 of them" in (folder.path / "README.md").read_text()
    dev = json.loads(call("evaluate", tmp_path / "m", workshop.dev, "--json").out)
    assert dev["strict"]["f1"] == json.loads(result.out)["dev"]["strict"]["f1"]
    names.write_text("Port Maribel\nAnselm\n", encoding="utf-8")
    result = call(*train(workshop, tmp_path / "n", "--gazetteer", names))
    refused(result, "names.tsv, line 2", "'Anselm'", "a kind, a tab and")
    assert not (tmp_path / "n").exists()


@pytest.mark.parametrize(
    ("pair", "parts"),
    [
        ("colour=red", ["'colour=red'", "NAME=VALUE", "scheduler"]),
        ("scheduler", ["'scheduler'", "NAME=VALUE"]),
        ("epochs=many", ["epochs", "'many'", "int"]),
        ("epochs=1.5", ["epochs", "'1.5'", "int"]),
        ("epochs=true", ["epochs", "'true'"]),
        ("freeze_embeddings=3", ["freeze_embeddings", "'3'", "bool"]),
        ("EPOCHS=3", ["EPOCHS=3", "NAME=VALUE"]),
        ("epochs=-1", ["epochs", "-1", "at least 0"]),
        ("learning_rate=NaN", ["learning-rate", "nan"]),
        ("warmup=1.5", ["warmup", "1.5"]),
        ("dropout=1", ["dropout", "1"]),
        ("subtokens=some", ["subtokens", "'some'", "first, all"]),
        ("precision=f16", ["precision", "'f16'", "auto, bf16, f32"]),
        ("scheme=IOB3", ["scheme", "'IOB3'", "IOB2"]),
        ("window=4", ["window", "4"]),
        ("window=300", ["window", "300", "256"]),
        ("overlap=500", ["overlap", "500"]),
        ("optimizer=adam_and_eve", ["optimizer", "adam_and_eve"]),
        ("scheduler=steep", ["scheduler", "steep"]),
        ("freeze_layers=40", ["--set freeze_layers=40", "layers of its own"]),
        ("lora=-8", ["--set lora=-8; expected at least 0"]),
        ("context=-1", ["--set context=-1; expected at least 0"]),
        ("seed=-1", ["--seed is -1; expected 0 to 4294967295"]),
    ],
)
def test_bad_settings_are_refused(workshop: Workshop, tmp_path: Path, pair: str, parts: list[str]) -> None:
    refused(call(*train(workshop, tmp_path / "m", "--set", pair)), *parts)
    assert list(tmp_path.iterdir()) == []  # nothing that the mended command would stumble over


@pytest.mark.parametrize(
    "options", [["--epochs", "x"], ["--nonsense"], ["--seed"], ["--unknown-tags", "perhaps"], ["--scheme", "IOB9"]]
)
def test_bad_options_are_refused(workshop: Workshop, tmp_path: Path, options: list[str]) -> None:
    result = call(*train(workshop, tmp_path / "m", *options))
    assert (result.code, result.out) == (2, "")
    assert options[0].strip("-") in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_replaced_only_when_asked(workshop: Workshop, tmp_path: Path) -> None:
    model = tmp_path / "m"
    model.mkdir()  # an empty folder is no obstacle
    assert call(*train(workshop, model)).code == 0
    before = tree(model)
    refused(call(*train(workshop, model)), str(model), "--overwrite", "-o")
    refused(call(*train(workshop, model, "--resume")), str(model), "is there already")
    assert tree(model) == before
    assert call(*train(workshop, model, "--overwrite", "--seed", "2")).code == 0
    assert tree(model)["model.safetensors"] != before["model.safetensors"]
    assert {path.name for path in tmp_path.iterdir()} == {"m"}


def test_what_is_no_model_is_never_replaced(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    refused(call(*train(workshop, tmp_path / "papers", "--overwrite")), "papers", "holds no model")
    (tmp_path / "file").write_text("x")
    refused(call(*train(workshop, tmp_path / "file", "--overwrite")), "file", "is a file")
    refused(call(*train(workshop, tmp_path / "file" / "below")), "below", "is a file")
    assert sorted(tree(tmp_path)) == ["file", "papers/thesis.txt"]


def test_a_place_that_cannot_be_written_is_found_before_any_work(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    access = os.access

    def no_rights(path: Any, mode: int, **more: Any) -> bool:  # root may write anywhere
        return Path(path) != tmp_path and access(path, mode, **more)

    monkeypatch.setattr(os, "access", no_rights)
    result = call(*train(workshop, tmp_path / "m"))
    refused(result, str(tmp_path / "m"), "may not be written", "-o")
    assert result.err.count("\n") == 1


def test_unknown_types_in_dev(workshop: Workshop, tmp_path: Path) -> None:
    lines = workshop.dev.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, start=1) if line.endswith("\tB-LOC"))
    strange = tmp_path / "strange.conll"
    strange.write_text("\n".join([*lines[: at - 1], lines[at - 1].replace("B-LOC", "B-GOD"), *lines[at:]]) + "\n")
    options = ("--dev", strange)
    result = call(*train(workshop, tmp_path / "m", *options))
    refused(result, str(strange), "line", "B-GOD", "LOC, MISC, ORG, PER", "--unknown-tags miss")
    refused(call(*train(workshop, tmp_path / "m", "--dev", workshop.dev, "--test", strange)), "strange", "B-GOD")
    assert [path.name for path in tmp_path.iterdir()] == ["strange.conll"]
    result = call(*train(workshop, tmp_path / "m", *options, "--unknown-tags", "miss", "--json"))
    assert result.code == 0
    assert "1 tags of types that train lacks count as missed" in result.err
    types = json.loads(result.out)["dev"]["types"]
    assert types["GOD"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    manifest = ModelFolder.open(tmp_path / "m").manifest
    assert manifest.training["unknown_tags"] == {"B-GOD": 1}


def test_lines_before_the_first_loss(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tagline.cli.progress._LINE_SECONDS", 0.0)
    with training() as report:
        report(ProgressEvent(8, 12, 0.5, None, None, None, evaluated=False))
        report(ProgressEvent(9, 12, 0.6, 0.25, None, None, evaluated=False))
    assert capsys.readouterr().err == "training: step 8 of 12\ntraining: step 9 of 12, loss 0.250\n"


def test_help_and_version_come_at_once(workshop: Workshop) -> None:
    result = spawn("--version")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", result.out)
    for name in ("train", "evaluate", "predict"):
        result = call(name, "--help")
        assert result.code == 0
        assert "Usage: " in result.out


def test_a_training_in_a_process_of_its_own_is_quiet(workshop: Workshop, tmp_path: Path) -> None:
    """Every line on standard error is one of Tagline's."""
    make_corpus.main([str(tmp_path), "--train", "40", "--dev", "10", "--test", "1"])
    result = spawn(
        "train", tmp_path / "train.conll", "--dev", tmp_path / "dev.conll", "-o", tmp_path / "model",
        "--encoder", workshop.encoder, "--epochs", "2", "--threads", "1", "--json",
    )  # fmt: skip
    assert result.code == 0, result
    json.loads(result.out)
    starts = (
        "train: ", "dev: ", "encoder ", "epoch ", "training: ", "scores calibrated ", "", "dev (", " ", "┏", "┃", "┡",
        "│", "├", "└", "Strict F1 ", "Word accuracy ", "10 sentences",
    )  # fmt: skip
    for line in result.err.splitlines():
        assert line == "" or line.startswith(tuple(filter(None, starts))), line


def test_on_a_terminal_it_shows_a_bar_and_nothing_of_others(workshop: Workshop, tmp_path: Path) -> None:
    make_corpus.main([str(tmp_path), "--train", "40", "--dev", "10", "--test", "1"])
    code, shown = on_terminal(
        "train", tmp_path / "train.conll", "--dev", tmp_path / "dev.conll", "-o", tmp_path / "model",
        "--encoder", workshop.encoder, "--epochs", "2", "--threads", "1",
    )  # fmt: skip
    assert code == 0, shown
    assert "epoch 2: dev F1" in shown
    assert re.search(r"training .*\d+/\d+.*dev F1", shown)
    assert "model: " in shown
    assert not any(noise in shown for noise in NOISE), shown
