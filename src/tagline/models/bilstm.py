"""A BiLSTM over words: word vectors and word shapes in, emissions out, with the face of a transformers model."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForTokenClassification, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import TokenClassifierOutput

from tagline.folder import WORD_LEVEL

_LETTER = 24  # numbers of a character's vector
_FIELDS = (
    "vocab_size", "embedding_size", "hidden_size", "num_hidden_layers", "dense_size", "type_vocab_size", "shape_size",
    "characters", "alphabet_size", "filters", "dropout", "max_position_embeddings", "pad_token_id",
)  # fmt: skip


class BiLstmConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """What a BiLSTM is made of; all by keyword, and what every configuration of transformers has (`id2label`, …).

    Attributes:
        vocab_size: rows of the word embedding; row 0 is padding, row 1 the unknown word.
        embedding_size: numbers of a word vector.
        hidden_size: numbers of one direction's state.
        num_hidden_layers: BiLSTM layers, one upon the other.
        dense_size: numbers of the dense layer (ReLU) before the head; 0: none.
        type_vocab_size: ids of word shapes; 1: the model sees no shapes.
        shape_size: numbers of a shape's vector.
        characters: ids of characters that follow each word's own in the input; 0: none.
        alphabet_size: ids of characters: 0 is padding, 1 unknown, all lie at the beginning of the vocabulary.
        filters: numbers that a convolution over three characters makes of a word's.
        dropout: share of numbers that are dropped before, between and behind the layers while training.
        max_position_embeddings: most words that are read at once.
        pad_token_id: id of padding.
    """

    model_type = WORD_LEVEL

    vocab_size: int = 2
    embedding_size: int = 100
    hidden_size: int = 128
    num_hidden_layers: int = 2
    dense_size: int = 0
    type_vocab_size: int = 1
    shape_size: int = 16
    characters: int = 0
    alphabet_size: int = 2
    filters: int = 64
    dropout: float = 0.5
    max_position_embeddings: int = 512
    pad_token_id: int | None = 0

    def __init__(self, **options: Any) -> None:
        for name in _FIELDS:
            setattr(self, name, options.pop(name, getattr(BiLstmConfig, name)))
        super().__init__(**{"pad_token_id": self.pad_token_id, **options})


class BiLstmLayer(nn.Module):
    """One LSTM forwards and one backwards, each an own one: padding behind the words reaches neither.

    The second reads each row reversed by its own length. So nothing needs packing, which graphs cannot express.

    Args:
        width: numbers of a word that come in.
        hidden: numbers of one direction's state.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.ahead = nn.LSTM(width, hidden, batch_first=True)
        self.back = nn.LSTM(width, hidden, batch_first=True)
        for lstm in (self.ahead, self.back):
            with torch.no_grad():  # it begins by remembering
                lstm.get_parameter("bias_ih_l0")[hidden : 2 * hidden].fill_(1.0)

    def forward(self, words: torch.Tensor, reverse: torch.Tensor) -> torch.Tensor:
        """(B, T, 2 H) states of (B, T, D) words; `reverse` (B, T) holds each place's counterpart."""
        ahead, _ = self.ahead(words)
        back, _ = self.back(_reordered(words, reverse))
        return torch.cat((ahead, _reordered(back, reverse)), dim=-1)


class Spelling(nn.Module):
    """A word's characters as one vector: a convolution over three neighbours, then the largest of each number.

    Args:
        alphabet: ids of characters, 0 is padding.
        filters: numbers of the vector.
    """

    def __init__(self, alphabet: int, filters: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(alphabet, _LETTER, padding_idx=0)
        self.convolution = nn.Conv1d(_LETTER, filters, 3, padding=1)

    def forward(self, characters: torch.Tensor) -> torch.Tensor:
        """(B, W, F) vectors of (B, W, C) character ids."""
        rows, words, count = characters.shape
        letters = self.letters(characters).reshape(rows * words, count, _LETTER).transpose(1, 2)
        found: torch.Tensor = torch.relu(self.convolution(letters)).amax(2)
        return found.reshape(rows, words, -1)


class BiLstmForTokenClassification(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Emissions from word ids, word shapes and characters.

    With C characters a word takes 1 + C places of the input: its own id and theirs. Its emission stands at all of them.

    Attributes:
        unknown_rates: (V,) probability with which a word is shown as unknown while training; None: never.
    """

    config_class = BiLstmConfig
    base_model_prefix = "encoder"
    unknown_rates: torch.Tensor | None = None

    def __init__(self, config: BiLstmConfig) -> None:
        super().__init__(config)
        self.words = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=0)
        nn.init.uniform_(self.words.weight, -((3 / config.embedding_size) ** 0.5), (3 / config.embedding_size) ** 0.5)
        width = config.embedding_size
        self.shapes = nn.Embedding(config.type_vocab_size, config.shape_size) if config.type_vocab_size > 1 else None
        if self.shapes is not None:
            nn.init.uniform_(self.shapes.weight, -0.25, 0.25)
            width += config.shape_size
        self.spelling = Spelling(config.alphabet_size, config.filters) if config.characters else None
        width += config.filters if config.characters else 0
        self.dropout = nn.Dropout(config.dropout)
        widths = [width, *[2 * config.hidden_size] * (config.num_hidden_layers - 1)]
        self.layers = nn.ModuleList(BiLstmLayer(each, config.hidden_size) for each in widths)
        last = config.dense_size or 2 * config.hidden_size
        self.dense = nn.Linear(2 * config.hidden_size, last) if config.dense_size else None
        self.classifier = nn.Linear(last, len(config.id2label or ()))
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: the constructor has done it."""

    def get_input_embeddings(self) -> nn.Embedding:
        """The word embedding."""
        return self.words

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
    ) -> TokenClassifierOutput:
        """Emissions of each word, and with labels the cross-entropy.

        Args:
            input_ids: (B, T) word ids, each followed by those of its characters where the model reads them.
            attention_mask: (B, T) 1 for words, then 0 for padding.
            token_type_ids: (B, T) shape ids.
            labels: (B, T) tag ids, -100 where there is none.
        """
        length, step = input_ids.shape[1], 1 + self.config.characters
        spelt = None
        if self.spelling is not None:
            words = length // step  # what may be left over is padding
            input_ids = input_ids[:, : words * step].reshape(-1, words, step)
            spelt = self.spelling(input_ids[:, :, 1:].clamp(max=self.config.alphabet_size - 1))
            input_ids, attention_mask = input_ids[:, :, 0], attention_mask[:, : words * step : step]
            token_type_ids = None if token_type_ids is None else token_type_ids[:, : words * step : step]
        if self.training and self.unknown_rates is not None:
            rates = self.unknown_rates.to(input_ids.device)[input_ids]
            input_ids = input_ids.masked_fill(torch.rand(rates.shape, device=rates.device) < rates, 1)
        states = self.words(input_ids)
        if self.shapes is not None and token_type_ids is not None:
            states = torch.cat((states, self.shapes(token_type_ids)), dim=-1)
        if spelt is not None:
            states = torch.cat((states, spelt), dim=-1)
        states = self.dropout(states)
        place = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        mirrored = attention_mask.sum(1, keepdim=True) - 1 - place
        reverse = torch.where(mirrored < 0, place, mirrored)
        for layer in self.layers:
            states = self.dropout(layer(states, reverse))
        if self.dense is not None:
            states = self.dropout(functional.relu(self.dense(states)))
        logits = self.classifier(states)
        if spelt is not None:
            owner = torch.arange(length, device=logits.device) // step
            logits = logits[:, owner.clamp(max=logits.shape[1] - 1)]
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(loss=loss, logits=logits)


def _reordered(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """(B, T, D) values, each row in the order of its (B, T) places."""
    return values.gather(1, places[:, :, None].expand(-1, -1, values.shape[2]))


AutoConfig.register(WORD_LEVEL, BiLstmConfig)
AutoModelForTokenClassification.register(BiLstmConfig, BiLstmForTokenClassification)
