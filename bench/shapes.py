"""What a text costs an encoder, texts of a given length, and an encoder of another shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import DATA, as_written


def test_texts() -> list[str]:
    """The sentences of CoNLL-2003 test as a person would write them."""
    from tagline.data.corpus import read_corpus

    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    return [as_written(sentence.words) for sentence in corpus.sentences]


def texts_of(words: int, texts: Sequence[str]) -> list[str]:
    """The same words as running texts of `words` words each, by white space; the rest is left unless it is all."""
    running = " ".join(texts).split()
    cut = [" ".join(running[at : at + words]) for at in range(0, len(running) - words + 1, words)]
    return cut or [" ".join(running)]


def subtokens(folder: Path, texts: Sequence[str]) -> list[int]:
    """Sub-tokens of each text, special ones left out."""
    from tokenizers import Tokenizer

    tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return [len(each.ids) for each in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def config_of(folder: Path) -> dict[str, Any]:
    """`config.json` of a model folder."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def operations(config: dict[str, Any], lengths: Sequence[int]) -> int:
    """Floating-point operations of the matrix products over texts, each read for itself and without padding.

    A product of (m, k) and (k, n) is 2mkn. A text of T sub-tokens with its two special ones takes in each layer four
    projections H to H, H to I and I to H, the scores of each pair and the sums over them; then the head. Everything
    else (norms, softmax, activation) is left out, as are windows: a long text is counted as windows of 256 that share
    63, which is what the peers compute.
    """
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    labels, total = len(config["id2label"]), 0
    for length in lengths:
        for size in _windows(length):
            layer = 2 * size * (4 * hidden * hidden + 2 * hidden * inner) + 4 * size * size * hidden
            total += layers * layer + 2 * size * hidden * labels
    return total


def _windows(length: int, window: int = 256, overlap: int = 63) -> list[int]:
    room = window - 2
    starts = range(0, max(1, length - overlap), room - overlap)
    return [min(length - start, room) + 2 for start in starts]


def base_model(folder: Path) -> Path:
    """A model folder of BERT base's shape, 12 layers of 768, with random weights and the tags of CoNLL-2003."""
    if folder.is_dir():
        return folder
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

    from tagline.folder import Manifest
    from tagline.models.encoders import resolve
    from tagline.publish.write import Parts, write_model

    labels = ["O", *(f"{prefix}-{kind}" for kind in ("LOC", "MISC", "ORG", "PER") for prefix in "BI")]
    tokenizer: Any = AutoTokenizer
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=30_522, id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    with torch.no_grad():
        model.classifier.bias[0] = 1.0  # most words lie outside entities, as in real text
    write_model(Parts(model, tokenizer.from_pretrained(resolve("minilm"))), Manifest(), folder)
    return folder
