"""Linear chains over words: the best path and the marginals, over many sentences at once.

Sentences are sorted by length, so that each step is one array operation over all that are long enough, in groups small
enough for the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
_GROUP = 1 << 18  # numbers in one step's array


def moves_of(mask: NDArray[np.bool_], transitions: NDArray[np.floating] | None = None) -> Doubles:
    """Scores of moves: what was learned, or 0, where a move is allowed, else minus infinity.

    Args:
        mask: (L + 1, L + 1) allowed moves [from, to], last row the start and last column the end of a sentence.
        transitions: learned scores in the same layout.
    """
    learned = np.zeros(mask.shape) if transitions is None else np.asarray(transitions, dtype=np.float64)
    return np.where(mask, learned, -np.inf)


def best_paths(emissions: Floats, lengths: Sequence[int] | Ints, moves: Doubles) -> Ints:
    """The path with the largest sum of emissions and moves, for each sentence (Viterbi).

    Args:
        emissions: (W, L) logits of all words, sentence by sentence.
        lengths: words of each sentence; they sum to W.
        moves: (L + 1, L + 1) scores as `moves_of` gives them.

    Returns:
        (W,) tag numbers; the argmax of the emissions in a sentence that no path leads through.
    """
    best = np.asarray(emissions.argmax(axis=1) if len(emissions) else (), dtype=np.int64)
    back = np.empty(emissions.shape, dtype=np.int64)
    for starts, sizes in _groups(np.asarray(lengths, dtype=np.int64), emissions.shape[1]):
        total = emissions[starts].astype(np.float64) + moves[-1, :-1]
        for word, active in _steps(sizes, 1):
            rows = starts[:active] + word
            paths = total[:active, :, None] + moves[:-1, :-1]
            back[rows] = paths.argmax(axis=1)
            total[:active] = np.take_along_axis(paths, back[rows][:, None, :], axis=1)[:, 0] + emissions[rows]
        total += moves[:-1, -1]
        here, alive = total.argmax(axis=1), _alive(total)
        for word, active in reversed(list(_steps(sizes, 0))):
            rows = starts[:active] + word
            best[rows[alive[:active]]] = here[:active][alive[:active]]
            if word:
                here[:active] = back[rows, here[:active]]
    return best


def marginals(emissions: Floats, lengths: Sequence[int] | Ints, moves: Doubles) -> Floats:
    """Probability of each tag at each word, over all paths (forward-backward).

    Args:
        emissions: (W, L) logits of all words, sentence by sentence.
        lengths: words of each sentence; they sum to W.
        moves: (L + 1, L + 1) scores as `moves_of` gives them.

    Returns:
        (W, L) probabilities, each row sums to 1; the softmax of the emissions in a sentence that no path leads through.
    """
    found = np.empty(emissions.shape, dtype=np.float64)
    for starts, sizes in _groups(np.asarray(lengths, dtype=np.int64), emissions.shape[1]):
        steps = list(_steps(sizes, 1))
        forward = emissions[starts].astype(np.float64) + moves[-1, :-1]
        found[starts] = forward
        for word, active in steps:
            rows = starts[:active] + word
            forward[:active] = _logsumexp(forward[:active, :, None] + moves[:-1, :-1], 1) + emissions[rows]
            found[rows] = forward[:active]
        alive = _alive(forward + moves[:-1, -1])
        backward = np.tile(moves[:-1, -1], (len(starts), 1))
        found[starts + sizes - 1] += backward
        for word, active in reversed(steps):
            rows = starts[:active] + word
            ahead = (backward[:active] + emissions[rows])[:, None, :]
            backward[:active] = _logsumexp(moves[:-1, :-1] + ahead, 2)
            found[rows - 1] += backward[:active]
        for start, size in zip(starts[~alive], sizes[~alive], strict=True):
            found[start : start + size] = emissions[start : start + size]
    return softmax(found)


def softmax(values: NDArray[np.floating]) -> Floats:
    """(W, L) probabilities of (W, L) logits."""
    if not len(values):
        return np.asarray(values, dtype=np.float32)
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def _groups(lengths: Ints, labels: int) -> Iterator[tuple[Ints, Ints]]:
    """First row and length of the sentences of each group, the longest first; empty ones are left out."""
    starts = np.cumsum(lengths) - lengths
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    step = max(1, _GROUP // max(1, labels * labels))
    for at in range(0, len(order), step):
        group = order[at : at + step]
        yield starts[group], lengths[group]


def _steps(sizes: Ints, first: int) -> Iterator[tuple[int, int]]:
    """Each word number from `first` on, with how many of the sorted sentences are longer."""
    longer = np.searchsorted(-sizes, -np.arange(int(sizes[0])), side="left")
    for word in range(first, int(sizes[0])):
        yield word, int(longer[word])


def _alive(total: Doubles) -> NDArray[np.bool_]:
    """Whether any path leads through each sentence."""
    return np.asarray(total.max(axis=1) > -np.inf)


def _logsumexp(values: Doubles, axis: int) -> Doubles:
    top = values.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):  # nothing leads here: the logarithm of 0 is minus infinity, as it should be
        return np.asarray((np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis))
