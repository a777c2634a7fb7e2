"""Losses against torch's own and against a plain formula, example by example."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tagline.errors import UsageError
from tagline.records import Problem
from tagline.train.class_weights import class_weights
from tagline.train.losses import LabelLoss, TagLoss

L = 4


def said(logits: torch.Tensor) -> SimpleNamespace:
    """A model's outputs."""
    return SimpleNamespace(logits=logits)


def material(problem: Problem, rows: int = 13, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and labels at random."""
    random = torch.Generator().manual_seed(seed)
    if problem is Problem.SINGLE:
        return torch.randn(rows, L, generator=random) * 3, torch.randint(0, L, (rows,), generator=random)
    if problem is Problem.MULTI:
        return torch.randn(rows, L, generator=random) * 3, torch.randint(0, 2, (rows, L), generator=random).float()
    return torch.randn(rows, 1, generator=random), torch.randn(rows, generator=random)


WEIGHTS = torch.tensor([0.5, 1.0, 2.5, 0.0])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_one_label_is_torchs_cross_entropy(weights: torch.Tensor | None, smoothing: float) -> None:
    logits, labels = material(Problem.SINGLE)
    assert set(labels.tolist()) == set(range(L))
    expected = functional.cross_entropy(logits, labels, weights, label_smoothing=smoothing)
    found = LabelLoss(Problem.SINGLE, weights, smoothing=smoothing)(said(logits), labels)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_several_labels_are_torchs_binary_cross_entropy(weights: torch.Tensor | None, smoothing: float) -> None:
    logits, labels = material(Problem.MULTI)
    targets = torch.where(labels > 0, 1 - smoothing / 2, smoothing / 2)
    expected = functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)
    found = LabelLoss(Problem.MULTI, weights, smoothing=smoothing)(said(logits), labels)
    torch.testing.assert_close(found, expected)


def test_a_number_is_torchs_squared_error() -> None:
    logits, labels = material(Problem.REGRESSION)
    found = LabelLoss(Problem.REGRESSION)(said(logits), labels)
    torch.testing.assert_close(found, functional.mse_loss(logits[:, 0], labels))
    one = LabelLoss(Problem.REGRESSION)(said(torch.tensor([[3.0]])), torch.tensor([1.0]))
    assert one.item() == 4.0


@given(
    st.lists(st.tuples(st.lists(st.floats(-8, 8), min_size=L, max_size=L), st.integers(0, L - 1)), min_size=1),
    st.floats(0.1, 5),
    st.lists(st.floats(0.1, 9), min_size=L, max_size=L),
    st.floats(0, 0.9),
)
def test_focal_loss_of_one_label(
    rows: list[tuple[list[float], int]], gamma: float, weights: list[float], smoothing: float
) -> None:
    total = scale = 0.0
    for logits, label in rows:
        norm = math.log(sum(map(math.exp, logits)))
        sure = math.exp(logits[label] - norm)
        each = sum(
            weights[place] * ((1 - smoothing) * (place == label) + smoothing / L) * (norm - logit)
            for place, logit in enumerate(logits)
        )
        total += (1 - sure) ** gamma * each
        scale += weights[label]
    loss = LabelLoss(Problem.SINGLE, torch.tensor(weights), gamma, smoothing)
    found = loss(said(torch.tensor([logits for logits, _ in rows])), torch.tensor([label for _, label in rows]))
    assert found.item() == pytest.approx(total / scale, rel=1e-4, abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=1), st.floats(0.1, 5), st.floats(0.1, 9),
    st.floats(0, 0.9),
)  # fmt: skip
def test_focal_loss_of_several_labels(
    rows: list[tuple[float, bool]], gamma: float, weight: float, smoothing: float
) -> None:
    total = 0.0
    for logit, has in rows:
        chance = 1 / (1 + math.exp(-logit))
        target = (1 - smoothing) * has + smoothing / 2
        each = -weight * target * math.log(chance) - (1 - target) * math.log(1 - chance)
        total += (1 - chance if has else chance) ** gamma * each
    loss = LabelLoss(Problem.MULTI, torch.tensor([weight]), gamma, smoothing)
    logits, labels = zip(*rows, strict=True)
    found = loss(said(torch.tensor(logits)[:, None]), torch.tensor(labels).float()[:, None])
    assert found.item() == pytest.approx(total / len(rows), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("problem", [Problem.SINGLE, Problem.MULTI])
def test_a_gamma_of_next_to_nothing_is_the_plain_loss(problem: Problem) -> None:
    logits, labels = material(problem)
    plain = LabelLoss(problem, WEIGHTS)(said(logits), labels)
    torch.testing.assert_close(LabelLoss(problem, WEIGHTS, gamma=1e-7)(said(logits), labels), plain)
    assert LabelLoss(problem, WEIGHTS, gamma=2.0)(said(logits), labels) < plain


@pytest.mark.parametrize("problem", [Problem.SINGLE, Problem.MULTI])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("far", [20.0, 100.0, 1e4])
def test_gradients_of_far_logits_are_finite(problem: Problem, gamma: float, smoothing: float, far: float) -> None:
    signs = torch.tensor([[1.0, -1.0, -1.0, 0.0], [-1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    logits = (far * signs).requires_grad_()
    labels = torch.tensor([0, 0, 0]) if problem is Problem.SINGLE else torch.tensor([[1.0, 0.0, 0.0, 1.0]] * 3)
    loss = LabelLoss(problem, WEIGHTS, gamma, smoothing)(said(logits), labels)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
    assert gradient[1].abs().max() > 0.01  # what is wrong for sure is corrected


def test_labels_of_weight_nothing_teach_nothing() -> None:
    logits = torch.randn(5, L).requires_grad_()
    loss = LabelLoss(Problem.SINGLE, WEIGHTS)(said(logits), torch.full((5,), 3))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == 0
    assert not gradient.any()


@pytest.mark.parametrize("problem", list(Problem))
def test_the_loss_of_half_precision_is_computed_in_full(problem: Problem) -> None:
    logits, labels = material(problem)
    half = logits.bfloat16()
    found = LabelLoss(problem)(said(half), labels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, LabelLoss(problem)(said(half.float()), labels))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_of_tags_is_that_of_the_words_that_bear_one(weights: torch.Tensor | None, smoothing: float) -> None:
    random = torch.Generator().manual_seed(4)
    logits, labels = torch.randn(3, 6, L, generator=random), torch.randint(0, L, (3, 6), generator=random)
    labels[:, ::2] = -100
    loss = TagLoss(LabelLoss(Problem.SINGLE, weights, smoothing=smoothing))
    expected = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), weights, label_smoothing=smoothing)
    torch.testing.assert_close(loss(said(logits), labels), expected)
    counts = labels[:, 1::2].numpy()
    assert loss.mass(labels.numpy()) == pytest.approx(9 if weights is None else float(weights[counts].sum()))
    nothing = logits.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(said(nothing), torch.full((3, 6), -100)), nothing)
    assert not gradient.any()


def test_weights_of_tags_are_told_by_tag_or_by_type() -> None:
    labels = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    types = {label: label.partition("-")[2] or label for label in labels}
    given = ("PER=3,O=0.5,I-PER=2", labels, (9, 1, 0, 2, 1), 13, Problem.SINGLE, types)
    found = class_weights(*given)
    assert found is not None
    assert found.tolist() == [0.5, 1.0, 1.0, 3.0, 2.0]
    balanced = class_weights("balanced", *given[1:])
    assert balanced is not None
    assert balanced.tolist() == pytest.approx([13 / 45, 13 / 5, 1.0, 13 / 10, 13 / 5])
    with pytest.raises(UsageError, match=r"--class-weights has 'ORG=2'; .*LOC, PER, B-LOC"):
        class_weights("ORG=2", *given[1:])
    many = tuple(f"label{number}" for number in range(35))
    with pytest.raises(UsageError, match="label28, label29 and 5 others, each once"):
        class_weights("other=1", many, (1,) * 35, 35, Problem.SINGLE)
