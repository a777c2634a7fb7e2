"""A tokenizer trained on plain text: word pieces as BERT has them, or byte-level BPE as RoBERTa has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizer, PreTrainedTokenizerFast

from tagline.errors import EncoderError
from tagline.train.pretrain.settings import BPE, PretrainSettings

_LETTERS = 1000  # rarer ones are unknown to word pieces
_ROLES = ("pad", "unk", "cls", "sep", "mask")
_BERT = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_ROBERTA = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}


def train_tokenizer(lines: Iterable[str], settings: PretrainSettings, pad: int | None = None) -> Any:
    """Trains a tokenizer.

    Args:
        lines: the text.
        settings: kind, size and case.
        pad: id that the padding token must have, because positions of the encoder count from it; None: the kind's own.

    Returns:
        A fast Hugging Face tokenizer whose special tokens have the lowest ids.

    Raises:
        EncoderError: the padding token cannot have that id.
    """
    names = _ROBERTA if settings.tokenizer == BPE else _BERT
    special = list(names.values())
    if pad is not None:
        if not 0 <= pad < len(special):
            raise EncoderError(
                f"encoder {settings.encoder!r} counts positions from its padding id {pad}, and a new tokenizer's would "
                f"be below {len(special)}; type --tokenizer keep"
            )
        special.remove(names["pad"])
        special.insert(pad, names["pad"])
    return _bpe(lines, settings, special) if settings.tokenizer == BPE else _wordpiece(lines, settings, special)


def _wordpiece(lines: Iterable[str], settings: PretrainSettings, special: list[str]) -> Any:
    learned = Tokenizer(models.WordPiece(unk_token=_BERT["unk"]))
    learned.normalizer = normalizers.BertNormalizer(lowercase=settings.lowercase, strip_accents=False)
    learned.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    text = list(lines)
    first, inner = _alphabet(text, learned)
    # The trainer numbers the inner letters by the order of a hash table, and pieces of equal count are chosen by these
    # numbers: handed over with the special tokens, they have the same ones each time.
    trainer = trainers.WordPieceTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[*special, *(f"##{letter}" for letter in inner)],
        initial_alphabet=first,
        limit_alphabet=len(first),
        show_progress=False,
    )
    learned.train_from_iterator(text, trainer)
    return BertTokenizer(
        vocab=dict(learned.get_vocab()),
        do_lower_case=settings.lowercase,
        strip_accents=False,
        model_max_length=settings.window,
    )


def _alphabet(lines: Iterable[str], tokenizer: Tokenizer) -> tuple[list[str], list[str]]:
    """The letters that get a piece of their own, and those of them that occur within words."""
    words: Counter[str] = Counter()
    for line in lines:
        normal = tokenizer.normalizer.normalize_str(line)
        words.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    kept = set(sorted(letters, key=lambda letter: (-letters[letter], letter))[:_LETTERS])
    return sorted(kept), sorted(kept & {letter for word in words for letter in word[1:]})


def _bpe(lines: Iterable[str], settings: PretrainSettings, special: list[str]) -> Any:
    learned = Tokenizer(models.BPE())
    if settings.lowercase:
        learned.normalizer = normalizers.Lowercase()
    # The first word of a line has a space before it, too: a tagger reads every word so.
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    learned.train_from_iterator(lines, trainer)
    begin, end = _ROBERTA["cls"], _ROBERTA["sep"]
    learned.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(token, learned.token_to_id(token)) for token in (begin, end)],
    )
    kind: Any = PreTrainedTokenizerFast  # untyped
    return kind(
        tokenizer_object=learned,
        bos_token=begin,
        eos_token=end,
        model_max_length=settings.window,
        **{f"{role}_token": _ROBERTA[role] for role in _ROLES},
    )
