"""The flat layers: the same results and gradients as the model's own modules, and dropout that drops at its rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.families import Encoders
from torch import nn
from transformers import AutoModelForTokenClassification

from tagline.train.fast.attention import Layout
from tagline.train.fast.encoder import fast, flat_encoder
from tagline.train.fast.layer import PARAMETERS, FlatLayer, LayerPlan
from tagline.train.fast.masks import MaskedDropout, Masks

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="flat layers are for processors")
FLAT = ("bert-uncased", "roberta", "xlm-roberta", "electra")
LABELS = 5
Gradients = dict[str, torch.Tensor]


def model_of(folder: Path, dropout: float = 0.0) -> Any:
    torch.manual_seed(3)
    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=LABELS, dtype=torch.float32)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    return model.train()


def batch_of(model: Any, lengths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Random ids, padded to the longest; labels on every second sub-token."""
    chance = torch.Generator().manual_seed(11)
    shape = (len(lengths), max(lengths))
    ids = torch.randint(5, model.config.vocab_size, shape, generator=chance)
    real = torch.arange(shape[1]) < torch.tensor(lengths)[:, None]
    labels = torch.randint(0, LABELS, shape, generator=chance)
    labels[~real] = -100
    labels[:, ::2] = -100
    return {
        "input_ids": ids.masked_fill(~real, model.config.pad_token_id),
        "attention_mask": real.long(),
        "labels": labels,
    }


def gradients(model: Any, batch: dict[str, torch.Tensor], flat: bool, bf16: bool = False) -> tuple[float, Gradients]:
    model.zero_grad()
    with fast(model, flat) as used:
        assert used == flat
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(**batch).loss
        loss.backward()
    return loss.item(), {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}


def apart(found: Gradients, expected: Gradients) -> float:
    """Length of the difference of all gradients, as a share of their length."""
    assert found.keys() == expected.keys()
    difference = sum(float((found[name] - each).double().square().sum()) for name, each in expected.items())
    return float((difference / sum(float(each.double().square().sum()) for each in expected.values())) ** 0.5)


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("lengths", [(9, 4, 7, 1), (6, 6, 6)], ids=["padded", "even"])
def test_gradients_are_those_of_the_model(encoders: Encoders, name: str, lengths: tuple[int, ...]) -> None:
    model = model_of(encoders(name))
    batch = batch_of(model, lengths)
    loss, own = gradients(model, batch, flat=False)
    flat_loss, flat = gradients(model, batch, flat=True)
    assert flat_loss == pytest.approx(loss, abs=1e-5)
    for parameter, each in own.items():
        # A key's bias moves all scores of a row alike: its gradient is nothing but rounding.
        torch.testing.assert_close(flat[parameter], each, rtol=1e-4, atol=1e-4, msg=parameter)
    assert apart(flat, own) < 1e-5


def test_in_bf16_gradients_are_no_further_off_than_the_autocasts(encoders: Encoders) -> None:
    model = model_of(encoders("bert-uncased"))
    batch = batch_of(model, (9, 4, 7, 1))
    _, exact = gradients(model, batch, flat=False)
    _, cast = gradients(model, batch, flat=False, bf16=True)
    _, flat = gradients(model, batch, flat=True, bf16=True)
    assert 0 < apart(flat, exact) < max(0.02, 1.5 * apart(cast, exact))


def test_the_derivative_is_right_with_dropout_and_padding() -> None:
    torch.manual_seed(5)
    heads, width, inner = 2, 6, 8
    real = torch.tensor([[True, True, True], [True, False, False]])
    shapes = [(width, width), (width,)] * 4 + [(width,), (width,), (inner, width), (inner,), (width, inner), (width,)]
    shapes += [(width,), (width,)]
    parameters = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    hidden = torch.randn(4, width, dtype=torch.float64, requires_grad=True)

    def layer(entered: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        layout = Layout.of(real, 2, 3, heads)
        plan = LayerPlan(layout, Masks(seed=1), 0.3, (0.2, 0.4), (1e-5, 1e-5), torch.float64)
        return FlatLayer.apply(plan, entered, *others)  # type: ignore[no-any-return, no-untyped-call]

    assert len(parameters) == len(PARAMETERS)
    assert torch.autograd.gradcheck(layer, (hidden, *parameters))


def test_rows_come_in_few_numbers_and_padding_among_them_changes_nothing(
    encoders: Encoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.arange(9) < torch.tensor((9, 4, 7, 1))[:, None]
    places = real.reshape(-1).nonzero()[:, 0].tolist()
    for step, rows in ((1, 21), (2, 22), (8, 24), (32, 32), (40, 36)):
        layout = Layout.of(real, 4, 9, 2, step)
        found = list(range(36)) if layout.rows is None else layout.rows.tolist()
        assert len(found) == rows
        assert set(places) <= set(found)
        assert found == sorted(set(found))
        assert (layout.rows is None) == (rows == 36)
        assert layout.bias is not None
        assert torch.equal(layout.bias[:, 0, 0] == 0, real)
    model = model_of(encoders("bert-uncased"))
    batch = batch_of(model, (9, 4, 7, 1))
    by_step = {}
    for step in (1, 8, 64):
        monkeypatch.setattr("tagline.train.fast.encoder._STEP", step)
        by_step[step] = gradients(model, batch, flat=True)
    for loss, filled in (by_step[8], by_step[64]):
        assert loss == pytest.approx(by_step[1][0], abs=1e-6)
        assert apart(filled, by_step[1][1]) < 1e-5


def test_numbers_are_dropped_at_the_rate_and_the_mean_is_kept() -> None:
    mask = Masks(seed=4).draw((200, 500), 0.1)
    assert mask is not None
    assert sorted(set(mask.flatten().tolist())) == pytest.approx([0.0, 1 / 0.9], rel=1e-4)
    dropped = (mask == 0).double()
    assert float(dropped.mean()) == pytest.approx(0.1, abs=0.005)
    assert float(mask.double().mean()) == pytest.approx(1.0, abs=0.005)
    for axis in (0, 1):  # no row or column is dropped more than chance would
        assert float((dropped.mean(axis) - 0.1).abs().max()) < 0.12
    assert Masks(seed=4).draw((3,), 0.0) is None


def test_masks_come_from_torchs_generator() -> None:
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(Masks().draw((64,), 0.5))
    assert torch.equal(drawn[0], drawn[1])  # type: ignore[arg-type]
    assert not torch.equal(drawn[0], drawn[2])  # type: ignore[arg-type]


def test_dropout_is_random_in_training_and_nothing_when_it_is_over(encoders: Encoders) -> None:
    model = model_of(encoders("bert-uncased"), dropout=0.2)
    batch = batch_of(model, (9, 4, 7, 1))
    own = model.bert.encoder.forward
    with fast(model) as used, torch.no_grad():
        assert used
        assert all(type(each) is MaskedDropout for each in model.modules() if isinstance(each, nn.Dropout))
        assert not torch.equal(model(**batch).logits, model(**batch).logits)
        model.eval()
        inside = model(**batch).logits
    assert model.bert.encoder.forward == own
    assert all(type(each) is nn.Dropout for each in model.modules() if isinstance(each, nn.Dropout))
    assert torch.equal(inside, model(**batch).logits)


def test_other_families_keep_their_layers(encoders: Encoders) -> None:
    for name in ("distilbert", "albert"):
        model = model_of(encoders(name), dropout=0.1)
        assert flat_encoder(model) is None
        with fast(model) as used:
            assert not used
            model(**batch_of(model, (5, 3))).loss.backward()
        assert model.get_input_embeddings().weight.grad is not None


def test_it_can_be_switched_off(encoders: Encoders) -> None:
    model = model_of(encoders("bert-uncased"), dropout=0.1)
    with fast(model, wanted=False) as used:
        assert not used
        assert not any(isinstance(each, MaskedDropout) for each in model.modules())
        assert "forward" not in vars(model.bert.encoder)
