"""The CRF's likelihood against a search over every path."""

from __future__ import annotations

from itertools import pairwise, product
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data.schemes import Scheme, allowed
from tagline.models.crf import Crf, CrfLoss, add_crf, crf_of, words_of
from tagline.text.chains import best_paths, moves_of
from tagline.text.decoding import Decoder

LABELS = ("O", "B-X", "I-X")
SEEDS = st.integers(0, 2**31 - 1)


def drawn(seed: int, scheme: Scheme = Scheme.IOB2) -> Crf:
    """A CRF whose moves mean something."""
    crf = Crf(allowed(LABELS, scheme))
    with torch.no_grad():
        crf.transitions.normal_(0, 2, generator=torch.Generator().manual_seed(seed))
    return crf


def paths_of(crf: Crf, emissions: torch.Tensor, edges: tuple[bool, bool]) -> dict[tuple[int, ...], float]:
    """The sum of every path that the scheme allows, in float64."""
    words, labels = emissions.shape
    moves = moves_of(~crf.forbidden.numpy(), crf.transitions.detach().numpy())
    found = {}
    for path in product(range(labels), repeat=words):
        value = sum(float(emissions[word, tag]) for word, tag in enumerate(path))
        value += sum(moves[before, after] for before, after in pairwise(path))
        value += moves[labels, path[0]] if edges[0] else 0.0
        value += moves[path[-1], labels] if edges[1] else 0.0
        if np.isfinite(value):
            found[path] = value
    return found


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_the_likelihood_is_that_of_a_search(seed: int, rows: list[tuple[int, bool, bool]]) -> None:
    crf, random = drawn(seed), np.random.default_rng(seed)
    width = max(length for length, _, _ in rows) + 1
    emissions = torch.from_numpy(random.normal(0, 2, (len(rows), width, len(LABELS))).astype(np.float32))
    tags = torch.zeros(len(rows), width, dtype=torch.int64)
    expected = []
    for row, (length, starts, ends) in enumerate(rows):
        paths = paths_of(crf, emissions[row, :length], (starts, ends))
        gold = list(paths)[int(random.integers(len(paths)))]
        tags[row, :length] = torch.tensor(gold)
        expected.append(float(np.logaddexp.reduce(list(paths.values()))) - paths[gold])
    lengths = torch.tensor([length for length, _, _ in rows])
    edges = torch.tensor([[starts, ends] for _, starts, ends in rows])
    found = crf(emissions, tags, lengths, edges)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-4)
    spoilt = emissions.clone()
    for row, length in enumerate(lengths.tolist()):  # what lies behind the end may be anything
        spoilt[row, length:] = 1e3
    assert torch.equal(crf(spoilt, tags, lengths, edges), found)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_the_decoder_finds_the_likeliest_path(seed: int, lengths: list[int]) -> None:
    crf = drawn(seed)
    emissions = torch.from_numpy(np.random.default_rng(seed).normal(0, 2, (sum(lengths), 3)).astype(np.float32))
    best, _ = Decoder(LABELS, Scheme.IOB2, transitions=crf.learned())(emissions.numpy(), lengths)
    start = 0
    for length in lengths:
        paths = paths_of(crf, emissions[start : start + length], (True, True))
        assert paths[tuple(best[start : start + length].tolist())] == pytest.approx(max(paths.values()), abs=1e-4)
        start += length


def test_the_loss_looks_at_words_only() -> None:
    crf = drawn(5)
    torch.manual_seed(1)
    logits = torch.randn(2, 6, 3)
    tags = torch.tensor([[-100, 1, -100, 2, 0, -100], [-100, 0, -100, -100, -100, -100]])
    labels = torch.cat([torch.tensor([[1], [0]]), tags, torch.tensor([[1], [1]])], dim=1)
    crf.requires_grad_(False)
    loss = CrfLoss(crf)(SimpleNamespace(logits=logits), labels)
    first = crf(logits[:1, [1, 3, 4]], torch.tensor([[1, 2, 0]]), torch.tensor([3]), torch.tensor([[1, 1]]))
    second = crf(logits[1:, [1]], torch.tensor([[0]]), torch.tensor([1]), torch.tensor([[0, 1]]))
    assert float(loss) == pytest.approx((float(first) + float(second)) / 4, rel=1e-5)
    changed = logits.clone()
    changed[:, [0, 2, 5]] += 7
    changed[1, 3:] = 9
    assert torch.equal(CrfLoss(crf)(SimpleNamespace(logits=changed), labels), loss)


def test_words_are_moved_together() -> None:
    logits = torch.arange(24.0).reshape(2, 4, 3)
    labels = torch.tensor([[-100, 2, -100, 1], [-100, -100, 0, -100]])
    emissions, tags, lengths = words_of(logits, labels)
    assert lengths.tolist() == [2, 1]
    assert tags.tolist() == [[2, 1], [0, 0]]
    assert torch.equal(emissions[0], logits[0, [1, 3]])
    assert torch.equal(emissions[1, 0], logits[1, 2])


def test_gradients_are_finite_and_leave_forbidden_moves_alone() -> None:
    crf = drawn(2)
    emissions = torch.randn(3, 4, 3, requires_grad=True)
    tags = torch.tensor([[1, 2, 0, 0], [0, 0, 0, 0], [1, 1, 2, 2]])
    crf(emissions, tags, torch.tensor([4, 1, 4]), torch.ones(3, 2)).sum().backward()
    for gradient in (emissions.grad, crf.transitions.grad):
        assert gradient is not None
        assert bool(gradient.isfinite().all())
    assert crf.transitions.grad is not None
    assert bool((crf.transitions.grad[crf.forbidden] == 0).all())
    assert float(crf.transitions.grad.abs().sum()) > 0


def test_it_learns_moves_that_words_do_not_tell() -> None:
    """Every second tag is B-X, whatever the word: only the moves can know."""
    crf = Crf(allowed(LABELS, Scheme.IOB2))
    tags = torch.tensor([[0, 1] * 4])
    emissions = torch.zeros(1, 8, 3)
    optimiser = torch.optim.Adam(crf.parameters(), lr=0.2)
    for _ in range(60):
        optimiser.zero_grad()
        crf(emissions, tags, torch.tensor([8]), torch.ones(1, 2)).sum().backward()
        optimiser.step()
    moves = moves_of(allowed(LABELS, Scheme.IOB2), crf.learned())
    assert best_paths(emissions[0].numpy(), [8], moves).tolist() == tags[0].tolist()


def test_a_model_is_given_one() -> None:
    model = torch.nn.Linear(2, 3)
    assert crf_of(model) is None
    crf = add_crf(model, LABELS, Scheme.IOB2)
    assert crf_of(model) is crf
    assert sorted(model.state_dict()) == ["bias", "crf.transitions", "weight"]
    assert crf.learned().shape == (4, 4)
