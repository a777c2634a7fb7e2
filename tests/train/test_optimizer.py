"""Parameter groups: the rate of each parameter by its depth, on encoders of every family."""

from __future__ import annotations

import pytest
import torch
from tests.families import FAMILIES, Encoders
from transformers import TrainingArguments

from tagline.errors import UsageError
from tagline.models.encoders import TokenEncoder, load_for_tokens
from tagline.models.layers import depths, stack_of
from tagline.train.optimizer import make_optimizer, parameter_groups
from tagline.train.tokens.settings import TokenSettings

LABELS = ("O", "B-PER", "I-PER")


def rates(encoder: TokenEncoder, settings: TokenSettings) -> dict[str, float]:
    """The rate of each parameter by its name."""
    names = {id(each): name for name, each in encoder.model.named_parameters()}
    groups = parameter_groups(encoder, settings)
    return {names[id(each)]: float(group["lr"]) for group in groups for each in group["params"]}


def test_rates_fall_from_the_top_layer_to_the_embeddings(encoders: Encoders) -> None:
    encoder = load_for_tokens(str(encoders("bert-uncased")), LABELS)
    layers = encoder.model.config.num_hidden_layers
    settings = TokenSettings(learning_rate=1e-3, head_learning_rate=1e-2, layer_decay=0.5)
    found = rates(encoder, settings)
    assert found.keys() == {name for name, _ in encoder.model.named_parameters()}
    for name, rate in found.items():
        if name in encoder.fresh:  # the head, and the rows of word shapes
            expected = 1e-2
        elif name.startswith("bert.embeddings."):
            expected = 1e-3 * 0.5**layers
        else:
            expected = 1e-3 * 0.5 ** (layers - 1 - int(name.split(".")[3]))
        assert rate == pytest.approx(expected), name
    assert "bert.embeddings.token_type_embeddings.weight" in encoder.fresh
    assert set(rates(encoder, TokenSettings()).values()) == {2e-4, 1e-3}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_its_layers_in_order(name: str, encoders: Encoders) -> None:
    encoder = load_for_tokens(str(encoders(name)), LABELS)
    found = stack_of(encoder.model)
    assert found is not None
    stack, layers = found
    deep, top = depths(encoder.model)
    assert top == len(layers)
    for parameter, depth in deep.items():
        if parameter.startswith(f"{stack}."):
            assert depth == int(parameter[len(stack) + 1 :].split(".")[0]) + 1
        elif "word_embeddings" in parameter or "tok_embeddings" in parameter:
            assert depth == 0
        elif parameter.startswith("classifier."):
            assert depth == top + 1
    assert set(deep.values()) == set(range(top + 2))


def test_groups_hold_each_trained_parameter_once(encoders: Encoders) -> None:
    encoder = load_for_tokens(str(encoders("bert-uncased")), LABELS)
    encoder.model.get_input_embeddings().weight.requires_grad_(False)
    settings = TokenSettings(layer_decay=0.9, weight_decay=0.1)
    optimizer = make_optimizer(encoder, TrainingArguments(use_cpu=True, report_to="none"), settings)
    held = [id(each) for group in optimizer.param_groups for each in group["params"]]
    wanted = [id(each) for each in encoder.model.parameters() if each.requires_grad]
    assert sorted(held) == sorted(wanted)
    for group in optimizer.param_groups:
        matrices = {each.ndim > 1 for each in group["params"]}
        assert matrices == {group["weight_decay"] == 0.1}
    assert isinstance(optimizer, torch.optim.AdamW)


@pytest.mark.parametrize("decay", [0.0, 1.1])
def test_decays_that_are_refused(decay: float) -> None:
    with pytest.raises(UsageError, match=f"--set layer_decay={decay}; expected a factor above 0"):
        TokenSettings(layer_decay=decay)
