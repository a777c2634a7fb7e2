"""Tokenizers, masks and the exact loss of `tagline pretrain`, against definitions and the model's own loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.cli.support import write_encoder
from transformers import AutoTokenizer

import make_spanish
from tagline.errors import DataError, EncoderError, UsageError
from tagline.train.pretrain.blocks import MaskedBatches, blocks_of, mask, read_text
from tagline.train.pretrain.fit import pretrain
from tagline.train.pretrain.model import new_model, take_vocabulary
from tagline.train.pretrain.settings import PretrainSettings
from tagline.train.pretrain.tokenizer import train_tokenizer
from tagline.train.pretrain.trainer import masked_losses

KINDS = ("wordpiece", "bpe")


def settings(**given: Any) -> PretrainSettings:
    small: dict[str, Any] = {"vocabulary": 500, "layers": 1, "width": 16, "heads": 2, "window": 16}
    return PretrainSettings(from_scratch=True, **(small | given))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Sentences of the generated Spanish corpus, capitals and accents among them."""
    folder = tmp_path_factory.mktemp("spanish")
    make_spanish.main([str(folder), "--train", "120", "--dev", "1", "--test", "1"])
    return words_of(folder / "train.conll")


def words_of(path: Path) -> list[str]:
    """The sentences of an annotated file."""
    blocks = path.read_text("utf-8").strip().split("\n\n")
    return [" ".join(line.split()[0] for line in block.splitlines()) for block in blocks]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lowercase", [False, True])
def test_tokenizers_give_the_text_back(kind: str, lowercase: bool, lines: list[str], tmp_path: Path) -> None:
    trained = train_tokenizer(lines, settings(tokenizer=kind, lowercase=lowercase))
    trained.save_pretrained(tmp_path)
    read = AutoTokenizer.from_pretrained(tmp_path)
    assert len(read) <= 500
    assert sorted(read.all_special_ids) == [0, 1, 2, 3, 4]
    for line in lines:
        ids = read(line).input_ids
        assert ids == trained(line).input_ids
        assert (ids[0], ids[-1]) == (read.cls_token_id, read.sep_token_id)
        text = str(read.decode(ids, skip_special_tokens=True))
        assert "".join(text.split()) == "".join((line.lower() if lowercase else line).split())
    pair = read(lines[0], lines[1]).input_ids
    assert pair.count(read.sep_token_id) == (3 if kind == "bpe" else 2)
    unseen = str(read.decode(read("日本").input_ids, skip_special_tokens=True))
    assert unseen.strip() == ("日本" if kind == "bpe" else "")


def test_masks_follow_the_definition(lines: list[str]) -> None:
    tokenizer = train_tokenizer(lines, settings())
    ids = np.random.default_rng(1).integers(5, len(tokenizer), (1000, 200))
    ids[:, 0], ids[:, 100], ids[:, -1] = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.sep_token_id
    free = ids > 4
    shown, labels = mask(ids, free, tokenizer, 0.15, np.random.default_rng(2))
    told = labels != -100
    assert not (told & ~free).any()
    assert (labels[told] == ids[told]).all()
    assert (shown[~told] == ids[~told]).all()
    hidden, same = shown[told] == tokenizer.mask_token_id, shown[told] == ids[told]
    other = ~hidden & ~same
    assert told.sum() / free.sum() == pytest.approx(0.15, abs=0.005)  # 200,000 draws: twelve standard errors
    by_chance = 0.1 / (len(tokenizer) - 5)  # another piece may be the same one
    assert hidden.mean() == pytest.approx(0.8, abs=0.02)
    assert same.mean() == pytest.approx(0.1 + by_chance, abs=0.02)
    assert other.mean() == pytest.approx(0.1 - by_chance, abs=0.02)
    assert not np.isin(shown[told][other], tokenizer.all_special_ids).any()
    assert len(np.unique(shown[told][other])) > 0.9 * (len(tokenizer) - 5)
    _, rare = mask(ids[:1], free[:1], tokenizer, 1e-9, np.random.default_rng(2))
    assert (rare != -100).sum() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_always_gives_one_vocabulary(kind: str, lines: list[str]) -> None:
    """Pieces of equal count must not be chosen by the order of a hash table."""
    first, *others = (train_tokenizer(lines, settings(tokenizer=kind, vocabulary=320)).get_vocab() for _ in range(6))
    assert all(each == first for each in others)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_hold_the_text_and_masks_change_by_epoch(kind: str, lines: list[str]) -> None:
    tokenizer = train_tokenizer(lines, settings(tokenizer=kind))
    blocks = blocks_of(lines, tokenizer, 16)
    assert {len(block) for block in blocks[:-1]} == {16}
    assert all(block[0] == tokenizer.cls_token_id and block[-1] == tokenizer.sep_token_id for block in blocks)
    flat = [int(each) for block in blocks for each in block[1:-1]]
    wanted: list[int] = []
    for line in lines:
        wanted += [*tokenizer(line, add_special_tokens=False).input_ids, tokenizer.sep_token_id]
    assert flat == wanted[:-1]

    batches = MaskedBatches(blocks, tokenizer, 0.15, 4, seed=3)

    def epoch(number: int) -> list[np.ndarray[Any, Any]]:
        batches.set_epoch(number)
        return [batches[place]["input_ids"].numpy() for place in range(len(batches))]

    first, second, again = epoch(0), epoch(1), epoch(0)
    assert sum(map(len, first)) == len(blocks)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    fixed = MaskedBatches(blocks, tokenizer, 0.15, 4, seed=3, fixed=True)
    before = fixed[0]["input_ids"]
    fixed.set_epoch(5)
    assert torch.equal(before, fixed[0]["input_ids"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_models_own(kind: str, lines: list[str]) -> None:
    chosen = settings(tokenizer=kind)
    tokenizer = train_tokenizer(lines, chosen)
    model: Any = new_model(tokenizer, chosen)
    model.eval()
    assert model.config.model_type == {"bpe": "roberta", "wordpiece": "bert"}[kind]
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    batches = MaskedBatches(blocks_of(lines, tokenizer, 16), tokenizer, 0.15, 64, seed=3)
    for batch in (batches[0], batches[len(batches) - 1]):
        own = model(**batch).loss
        own.backward()
        expected = [each.grad.clone() for each in model.parameters()]
        model.zero_grad()
        mine = masked_losses(model, model, batch).mean()
        torch.autograd.backward(mine)
        torch.testing.assert_close(mine, own)
        torch.testing.assert_close([each.grad for each in model.parameters()], expected, atol=1e-6, rtol=1e-4)
        model.zero_grad()


def test_held_out_lines_are_not_learned(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("\n".join(f"line {number % 50}\n" for number in range(150)), "utf-8")
    text = read_text(file, 0.1, 13)
    assert len(set(text.held_out)) == 5
    assert not set(text.held_out) & set(text.learned)
    assert len(text.held_out) + len(text.learned) == 150
    assert read_text(file, 0.1, 14).held_out != text.held_out
    assert read_text(file, 0.0, 13).held_out == []
    file.write_text("one line\n" * 9, "utf-8")
    with pytest.raises(DataError, match="--held-out 0"):
        read_text(file, 0.05, 13)


@pytest.mark.parametrize(("old_kind", "new_kind"), [("wordpiece", "bpe"), ("bpe", "wordpiece"), ("bpe", "bpe")])
def test_pieces_that_both_know_keep_their_vectors(old_kind: str, new_kind: str, lines: list[str]) -> None:
    chosen = settings(tokenizer=old_kind, vocabulary=350)
    old = train_tokenizer(lines[:60], chosen)
    model: Any = new_model(old, chosen)
    model.get_output_embeddings().bias.data.normal_()
    vectors = model.get_input_embeddings().weight.detach().clone()
    bias = model.get_output_embeddings().bias.detach().clone()
    new = train_tokenizer(lines, settings(tokenizer=new_kind, vocabulary=450), old.pad_token_id)
    assert new.pad_token_id == old.pad_token_id
    moved = take_vocabulary(model, old, new)
    assert moved.kept + moved.spelled + moved.unknown == len(new) == model.config.vocab_size
    assert min(moved.kept, moved.spelled) > 5
    after, after_bias = model.get_input_embeddings().weight, model.get_output_embeddings().bias
    assert model.get_output_embeddings().weight is after

    def number(tokenizer: Any, word: str) -> int:
        name = f"Ġ{word}" if "Ġ" in "".join(tokenizer.get_vocab()) else word
        return int(tokenizer.get_vocab().get(name, -1))

    shared = [word for word in {each for line in lines for each in line.split()} if word.isascii() and word.isalpha()]
    pairs = [(number(old, word), number(new, word)) for word in shared]
    pairs = [pair for pair in pairs if min(pair) >= 0] + [(old.mask_token_id, new.mask_token_id)]
    assert len(pairs) > 3
    for before, now in pairs:
        assert torch.equal(after[now], vectors[before])
        assert after_bias[now] == bias[before]
    ids = torch.tensor([new(lines[0]).input_ids[:16]])
    assert model(ids).logits.shape[-1] == len(new)


def test_the_head_that_an_encoder_lacks_is_drawn_from_the_seed(lines: list[str], tmp_path: Path) -> None:
    encoder, text = write_encoder(tmp_path / "encoder", lines), tmp_path / "text.txt"
    text.write_text("\n".join(lines[:8]) + "\n", "utf-8")

    def head(name: str, seed: int) -> torch.Tensor:
        chosen = PretrainSettings(encoder=str(encoder), epochs=1, learning_rate=1e-9, precision="f32", seed=seed)
        made = pretrain(text, chosen, tmp_path / name)
        return made.model.get_parameter("cls.predictions.transform.dense.weight")

    first = head("first", 1)
    torch.manual_seed(99)  # what went before does not matter
    assert torch.equal(head("again", 1), first)
    assert not torch.equal(head("other", 2), first)


def test_another_word_begins_at_the_mean_of_its_pieces() -> None:
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    old = BertTokenizer(vocab={name: at for at, name in enumerate([*special, "ma", "##dri", "##d", "sol"])})
    new = BertTokenizer(
        vocab={name: at for at, name in enumerate([*special, "Madrid", "sol", "日", "##sol"])}, do_lower_case=False
    )
    model: Any = new_model(old, settings())
    vectors = model.get_input_embeddings().weight.detach().clone()
    moved = take_vocabulary(model, old, new)
    assert moved.to_dict() == {"kept": 6, "spelled": 2, "unknown": 1}
    after = model.get_input_embeddings().weight
    torch.testing.assert_close(after[5], vectors[5:8].mean(0))  # Madrid: ma + ##dri + ##d
    assert torch.equal(after[6], vectors[8])
    torch.testing.assert_close(after[7], vectors.mean(0))
    assert torch.equal(after[8], vectors[8])


def test_a_padding_id_out_of_reach_is_refused(lines: list[str]) -> None:
    with pytest.raises(EncoderError, match="--tokenizer keep"):
        train_tokenizer(lines, settings(), pad=50283)


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"tokenizer": "sentencepiece"}, ("--tokenizer", "sentencepiece", "bpe", "wordpiece", "keep")),
        ({"from_scratch": True, "encoder": "minilm"}, ("--from-scratch", "--encoder", "--tokenizer keep")),
        ({"layers": 2}, ("--layers", "--from-scratch")),
        ({"vocabulary": 900}, ("--vocabulary", "--tokenizer")),
        ({"lowercase": True}, ("--lowercase", "--tokenizer")),
        ({"from_scratch": True, "tokenizer": "bpe", "vocabulary": 200}, ("--vocabulary", "200", "300")),
        ({"from_scratch": True, "width": 50, "heads": 4}, ("--width", "50", "--heads", "4")),
        ({"held_out": 1.0}, ("--held-out", "1.0")),
        ({"masked": 0.0}, ("--masked", "0.0")),
        ({"window": 4}, ("--window", "4", "8")),
        ({"epochs": 0}, ("--epochs", "0")),
        ({"seed": -1}, ("--seed", "-1")),
        ({"precision": "f16"}, ("--precision", "f16")),
    ],
)
def test_settings_that_cannot_be(given: dict[str, Any], parts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as error:
        PretrainSettings(**given)
    assert all(part in str(error.value) for part in parts), error.value
