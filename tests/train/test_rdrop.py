"""R-Drop against the formula written out, through the flat layers and through transformers' own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.families import Encoders
from tests.train.test_fast import apart, batch_of, model_of
from tests.train.test_fit import STEPS, Material, material, same, stop_at

from tagline.data.schemes import Scheme
from tagline.errors import Interrupted, UsageError
from tagline.models.crf import CrfLoss, add_crf
from tagline.records import Problem
from tagline.train.fast.encoder import fast
from tagline.train.losses import LabelLoss, TagLoss
from tagline.train.prepared import Loss
from tagline.train.rdrop import RDrop, divergence, doubled
from tagline.train.tokens.settings import TokenSettings

__all__ = ["material"]
L = 5


def kl(p: torch.Tensor, q: torch.Tensor) -> float:
    """Sum of p log p / q."""
    return float((p * (p / q).log()).sum())


def logits(rows: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(*rows, L, generator=torch.Generator().manual_seed(seed)) * 2


def test_the_divergence_is_the_mean_of_both_directions() -> None:
    one, other = logits((7,), 1), logits((7,), 2)
    pairs = [(one[row].softmax(-1), other[row].softmax(-1)) for row in range(7)]
    expected = sum((kl(p, q) + kl(q, p)) / 2 for p, q in pairs) / 7
    assert divergence(one, other).item() == pytest.approx(expected, rel=1e-5)
    assert divergence(one, one).item() == 0
    decisions = [
        (torch.stack((p, 1 - p)), torch.stack((q, 1 - q)))
        for p, q in zip(one.sigmoid().flatten(), other.sigmoid().flatten(), strict=True)
    ]
    expected = sum((kl(p, q) + kl(q, p)) / 2 for p, q in decisions) / len(decisions)
    assert divergence(one, other, several=True).item() == pytest.approx(expected, rel=1e-4)


def crf_loss() -> CrfLoss:
    crf = add_crf(torch.nn.Module(), ("O", "B-A", "I-A", "B-B", "I-B"), Scheme.IOB2)
    torch.nn.init.normal_(crf.transitions)
    return CrfLoss(crf)


WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 3.0, 0.1])


@pytest.mark.parametrize(
    "loss",
    [TagLoss(), TagLoss(LabelLoss(Problem.SINGLE, WEIGHTS, 1.5, 0.1)), crf_loss()],
    ids=["tags", "weighted", "crf"],
)
def test_the_loss_is_the_mean_of_two_and_what_lies_between(loss: Loss) -> None:
    one, other = logits((3, 6), 1), logits((3, 6), 2)
    labels = torch.tensor([[0, 1, 2, -100, 3, -100], [1, -100, -100, -100, -100, -100], [-100, 0, 0, 1, 3, 4]])
    words = labels >= 0
    if isinstance(loss, CrfLoss):
        labels = torch.cat((torch.tensor([[1], [0], [1]]), labels, torch.tensor([[1], [1], [0]])), dim=1)
    p, q = one[words].softmax(-1), other[words].softmax(-1)
    between = (kl(p, q) + kl(q, p)) / 2 / int(words.sum())
    plain = [loss(SimpleNamespace(logits=each), labels).item() for each in (one, other)]
    found = RDrop(loss, 3.0)(SimpleNamespace(logits=torch.cat((one, other))), labels)
    assert found.item() == pytest.approx(sum(plain) / 2 + 3.0 / 2 * between, rel=1e-5)
    assert RDrop(loss, 3.0)(SimpleNamespace(logits=one), labels).item() == plain[0]  # evaluation


def test_a_batch_is_doubled_but_for_its_labels() -> None:
    batch = {"input_ids": torch.tensor([[1, 2]]), "labels": torch.tensor([[0, 1]])}
    made = doubled(batch)
    assert made["input_ids"].tolist() == [[1, 2], [1, 2]]
    assert made["labels"].tolist() == [[0, 1]]


def test_both_paths_give_the_same_gradients(encoders: Encoders) -> None:
    """Without dropout the two passes are one: the loss is the plain one, and so are its gradients, on either path."""
    model = model_of(encoders("bert-uncased"))
    batch = batch_of(model, (9, 4, 7, 1))
    found = {}
    for flat in (False, True):
        for alpha in (0.0, 4.0):
            model.zero_grad()
            with fast(model, flat) as used:
                assert used == flat
                inputs = dict(batch if alpha == 0 else doubled(batch))
                labels = inputs.pop("labels")
                loss = RDrop(TagLoss(), alpha)(model(**inputs), labels)
            torch.autograd.backward(loss)
            grown = {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}
            found[flat, alpha] = loss.item(), grown
    for value, grown in found.values():
        assert value == pytest.approx(found[False, 0.0][0], abs=1e-5)
        assert apart(grown, found[False, 0.0][1]) < 1e-5


def test_with_dropout_the_passes_differ_on_either_path(encoders: Encoders) -> None:
    model = model_of(encoders("bert-uncased"), dropout=0.3)
    inputs = doubled(batch_of(model, (9, 4, 7, 1)))
    labels = inputs.pop("labels")
    for flat in (False, True):
        torch.manual_seed(1)
        with fast(model, flat):
            output = model(**inputs)
        one, other = output.logits.chunk(2)
        bears = labels >= 0
        assert not torch.equal(one[bears], other[bears])
        assert RDrop(TagLoss(), 4.0)(output, labels) > RDrop(TagLoss(), 0.0)(output, labels)


@pytest.mark.parametrize("changes", [{}, {"fast": False, "head": "crf"}])
def test_trained_and_resumed(material: Material, tmp_path: Path, changes: dict[str, Any]) -> None:
    options: dict[str, Any] = {"rdrop": 2.0, "dropout": 0.2, "epochs": 2, **changes}
    fitted = material.fit(tmp_path / "whole", **options)
    assert not same(fitted, material.fit(tmp_path / "plain", **{**options, "rdrop": 0.0}))
    with pytest.raises(Interrupted):
        material.fit(tmp_path / "work", report=stop_at(STEPS + 2), **options)
    assert same(material.fit(tmp_path / "work", resume=True, **options), fitted)


def test_a_weight_below_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="--set rdrop=-1"):
        TokenSettings(rdrop=-1)
