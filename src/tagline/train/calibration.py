"""Scores that mean what they say: one temperature, fitted on dev and folded into the head.

Guo et al. 2017, On Calibration of Modern Neural Networks: dividing all logits by one number T > 0 that minimises the
negative log-likelihood of held-out data. Here the last layer's weight and bias are divided by T, so that every reader
of the folder gives calibrated scores. A positive factor keeps the order of the labels and of all tag sequences: no
decision changes. A CRF's transitions are divided by T as well, and the likelihood is that of the words' marginals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import EvalPrediction, PreTrainedModel, Trainer

from tagline.evaluate.calibration import expected_calibration_error
from tagline.models.crf import crf_of
from tagline.models.encoders import last_layer
from tagline.text.chains import marginals
from tagline.train.prepared import Chain, DevScore, Evidence

LOWEST, HIGHEST = 0.05, 20.0
_CHAIN_STEPS = 24  # of the golden section, each reads dev once
_STEPS = 40  # halvings of the range of log T, six units long


@dataclass(frozen=True)
class Calibration:
    """A fitted temperature and what it did on dev.

    Attributes:
        temperature: what the logits were divided by; above 1 the model was too sure of itself.
        dev_nll_before: mean negative log-likelihood of a scored word or text (of several labels: of one decision).
        dev_nll_after: the same of the divided logits; never larger.
        ece_before: expected calibration error in [0, 1], of the best label's score (of several: of every score).
        ece_after: the same of the divided logits.
    """

    temperature: float
    dev_nll_before: float
    dev_nll_after: float
    ece_before: float
    ece_after: float

    def __str__(self) -> str:
        errors = f"{100 * self.ece_before:.2f} % to {100 * self.ece_after:.2f} %"
        return f"temperature {self.temperature:.3f}, expected calibration error {errors}"


def calibrate(trainer: Trainer, score: DevScore) -> Calibration | None:
    """Reads dev once more with the trained model, in the precision of the training, and scales its head.

    Gives None, and leaves the model as it is, for a regression or where no gold label of dev is known to the model.
    """
    model = trainer.model
    assert isinstance(model, PreTrainedModel)
    model.train(False)
    for number in range(len(score.batches)):
        _, logits, labels = trainer.prediction_step(model, dict(score.batches[number]), prediction_loss_only=False)
        score(EvalPrediction(predictions=logits, label_ids=labels), compute_result=False)  # type: ignore[arg-type]
    evidence = score.evidence()
    if evidence is None or not (evidence.gold >= 0).any():
        return None
    found = fit_temperature(evidence)
    scale_head(model, evidence.logits.shape[1], found.temperature)
    return found


def scale_head(model: PreTrainedModel, labels: int, temperature: float) -> None:
    """Divides the logits of a model with so many labels, by its last layer's weight and bias, in place."""
    head = last_layer(model, labels)
    with torch.no_grad():
        head.weight.div_(temperature)
        if head.bias is not None:
            head.bias.div_(temperature)
        if (crf := crf_of(model)) is not None:
            crf.transitions.div_(temperature)


def fit_temperature(evidence: Evidence) -> Calibration:
    """The temperature of the smallest mean negative log-likelihood, between `LOWEST` and `HIGHEST`.

    The likelihood is convex in 1/T, so its slope has one zero, found by halving the range of log T. Where dev holds no
    mistake the likelihood would grow without end as scores near 1; then the scores are not sharpened.
    """
    logits = evidence.logits.astype(np.float64)
    gold = evidence.gold
    if evidence.chain is not None:
        return _fit_chain(evidence.logits, gold, evidence.chain)
    low, high = np.log(LOWEST), np.log(HIGHEST)
    if not _mistakes(logits, gold):
        low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _slope(logits, gold, float(np.exp(-middle))) > 0:  # colder is worse
            low = middle
        else:
            high = middle
    temperature = float(np.exp((low + high) / 2))
    before = _nll(logits, gold)
    if _nll(logits / temperature, gold) >= before:
        temperature = 1.0
    scaled = logits / temperature
    return Calibration(temperature, before, _nll(scaled, gold), _error(logits, gold), _error(scaled, gold))


def _fit_chain(logits: NDArray[np.float32], gold: NDArray[np.int64], chain: Chain) -> Calibration:
    """The same for a CRF, by a golden section of the range of log T over the likelihood of the marginals."""
    known = gold >= 0
    rows, ids = np.arange(int(known.sum())), gold[known]

    def read(temperature: float) -> tuple[float, float, bool]:
        """Mean negative log-likelihood, expected calibration error, whether there are mistakes."""
        scaled = np.asarray(logits / temperature, dtype=np.float32)
        chances = marginals(scaled, chain.lengths, chain.moves / temperature)[known].astype(np.float64)
        loss = float(-np.log(np.maximum(chances[rows, ids], 1e-12)).mean())
        right = chances.argmax(axis=1) == ids
        return loss, expected_calibration_error(chances.max(axis=1), right), not right.all()

    before, error, mistakes = read(1.0)
    low, high = np.log(LOWEST) if mistakes else 0.0, np.log(HIGHEST)
    share = (np.sqrt(5) - 1) / 2
    inner = [high - share * (high - low), low + share * (high - low)]
    losses = [read(float(np.exp(each)))[0] for each in inner]
    for _ in range(_CHAIN_STEPS):
        if losses[0] <= losses[1]:
            high, inner, losses = inner[1], [inner[1] - share * (inner[1] - low), inner[0]], [0.0, losses[0]]
            losses[0] = read(float(np.exp(inner[0])))[0]
        else:
            low, inner, losses = inner[0], [inner[1], inner[0] + share * (high - inner[0])], [losses[1], 0.0]
            losses[1] = read(float(np.exp(inner[1])))[0]
    temperature = float(np.exp((low + high) / 2))
    after, error_after, _ = read(temperature)
    if after >= before:
        return Calibration(1.0, before, before, error, error)
    return Calibration(temperature, before, after, error, error_after)


def _mistakes(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> bool:
    said = logits > 0 if gold.ndim == 2 else logits.argmax(axis=1)
    return bool((said != gold).any())


def _nll(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood, in nats."""
    if gold.ndim == 2:
        return float(np.logaddexp(0.0, np.where(gold > 0, -logits, logits)).mean())
    top = logits.max(axis=1)
    whole = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((whole - logits[np.arange(len(gold)), gold]).mean())


def _slope(logits: NDArray[np.float64], gold: NDArray[np.int64], sharpness: float) -> float:
    """Derivative of the mean negative log-likelihood by 1/T at `sharpness` = 1/T: expected less gold logit."""
    chances = _chances(logits * sharpness, gold)
    if gold.ndim == 2:
        return float(((chances - gold) * logits).mean())
    return float(((chances * logits).sum(axis=1) - logits[np.arange(len(gold)), gold]).mean())


def _chances(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N, L) probabilities: sigmoid where each label stands for itself, else softmax."""
    if gold.ndim == 2:
        return np.asarray(np.exp(-np.logaddexp(0.0, -logits)))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _error(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """Expected calibration error of the scores that a user is shown."""
    chances = _chances(logits, gold)
    if gold.ndim == 2:
        scores, right = chances.ravel(), gold.ravel() > 0
    else:
        scores, right = chances.max(axis=1), chances.argmax(axis=1) == gold
    return expected_calibration_error(scores, right)
