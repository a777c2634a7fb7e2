"""Reading CoNLL: every shape of file that is accepted, and the sentence said about every one that is not."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tagline.data.corpus import Corpus, ReadOptions, read_corpus
from tagline.data.schemes import Scheme, spans
from tagline.errors import DataError, SchemeError, UsageError


def read(folder: Path, content: str | bytes, options: ReadOptions | None = None, annotated: bool = True) -> Corpus:
    path = folder / "a.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_corpus(path, options, annotated=annotated)


def complaint(folder: Path, content: str | bytes, options: ReadOptions | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content, options)
    assert type(caught.value) in (DataError, SchemeError)
    assert str(folder / "a.txt") in str(caught.value)
    return str(caught.value)


PLAIN = "EU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\nBlackburn NNP I-PER\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN,
        PLAIN.replace(" ", "\t"),
        PLAIN.replace(" ", "   "),
        PLAIN.replace("O\n", "O \n"),
        PLAIN.replace("\n\n", "\n \t \n\n"),
        "# id = 1\n# text = EU rejects\n" + PLAIN.replace("\n\n", "\n\n# id = 2\n"),
        "# one\n\n" + PLAIN,
        "-DOCSTART- -X- O\n\n" + PLAIN,
        "-DOCSTART-\n" + PLAIN,
        "-DOCSTART- (1 EU) -X- -X- O\n\n" + PLAIN,
    ],
)
def test_every_shape_of_file_gives_the_same_sentences(tmp_path: Path, content: str) -> None:
    corpus = read(tmp_path, content)
    assert [sentence.words for sentence in corpus.sentences] == [("EU", "rejects"), ("Peter", "Blackburn")]
    assert [sentence.tags for sentence in corpus.sentences] == [("B-ORG", "O"), ("B-PER", "I-PER")]
    assert (corpus.scheme, corpus.bare, corpus.columns, corpus.violations) == (Scheme.IOB2, False, 3, 0)
    assert (corpus.format, corpus.labels, corpus.unaligned) == ("conll", ["ORG", "PER"], ())
    assert corpus.fingerprint == hashlib.sha256((tmp_path / "a.txt").read_bytes()).hexdigest()
    lines = (tmp_path / "a.txt").read_text("utf-8-sig").split("\n")
    for sentence in corpus.sentences:
        assert lines[sentence.line - 1].startswith(sentence.words[0])


def test_documents_are_numbered_from_the_marks(tmp_path: Path) -> None:
    mark = "-DOCSTART- O\n\n"
    corpus = read(tmp_path, f"{mark}a O\n\nb O\n{mark}c O\n\n{mark}{mark}d O\n")
    assert [(each.words[0], each.document) for each in corpus.sentences] == [("a", 0), ("b", 0), ("c", 1), ("d", 3)]


def test_hash_words_are_words_and_comments_are_not(tmp_path: Path) -> None:
    corpus = read(tmp_path, "# tweet 7\n#tag\tO\nis\tO\n#cool\tO\n\n#\tO\n# x\tB-X\n")
    assert [each.words for each in corpus.sentences] == [("#tag", "is", "#cool"), ("#", "# x")]
    only = read(tmp_path, "# id = 1\n#tag O\n#more B-X\n")
    assert [each.words for each in only.sentences] == [("#tag", "#more")]


def test_a_comment_of_key_and_value_may_have_as_many_cells_as_the_words(tmp_path: Path) -> None:
    corpus = read(tmp_path, "# id = 1\na NN x O\n# NN x O\n\n# NN x B-X\n\n# id = 2\nb NN x O\n")
    assert [each.words for each in corpus.sentences] == [("a", "#"), ("#",), ("b",)]


def test_a_comment_inside_a_sentence_is_a_misfit(tmp_path: Path) -> None:
    assert "line 2: too many columns: '# id = 1' has 4" in complaint(tmp_path, "a O\n# id = 1\nb O\n")


@pytest.mark.parametrize("word", ["\u00a0", "\u0085", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "a\u2028b", "\u3000"])
@pytest.mark.parametrize("separator", [" ", "\t"])
def test_exotic_white_space_is_a_word(tmp_path: Path, word: str, separator: str) -> None:
    corpus = read(tmp_path, f"x{separator}O\n{word}{separator}B-X\ny{separator}O\n")
    assert corpus.sentences[0].words == ("x", word, "y")


def test_a_lone_carriage_return_ends_no_line(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\rb\tO\r\nc\tO\n").sentences[0].words == ("a\rb", "c")


def test_empty_words_stand_in_files_with_tabs(tmp_path: Path) -> None:
    assert read(tmp_path, "a\tO\n\tO\nb c\tO\n").sentences[0].words == ("a", "", "b c")


def test_nul_far_into_the_file_is_a_character(tmp_path: Path) -> None:
    head = "a O\n" * 2100
    assert len(head) > 8192
    assert read(tmp_path, head + "x\0y O\n").sentences[0].words[-1] == "x\0y"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a b O\nc O\n", "line 2: too few columns: 'c O' has 2; expected 3 columns separated by spaces, as in line 1"),
        ("a O\nNew York O\n", "line 2: too many columns: 'New York O' has 3; expected 2"),
        (
            "a\tO\nb O\n",
            "line 2: mixed separators: 'b O' has spaces; expected 2 columns separated by a tab, as in line 1",
        ),
        ("a O\nb\tO\n", "line 2: mixed separators: 'b\\tO' has a tab; expected 2 columns separated by spaces"),
        ("a O\nb\tc O\n", "line 2: mixed separators"),
        ("a\tO\nb\n", "line 2: too few columns: 'b' has 1; expected 2 columns separated by a tab"),
        ("a\tO\nb\t\n", "line 2: the tag of word 'b' is empty"),
        ("word\nword\n", "line 1: 'word' has one column; expected at least two"),
        ("", "is empty"),
        (" \n\n", "holds no words"),
        ("-DOCSTART- O\n\n", "holds no words"),
        (b"a O\nb\0 O\n", "binary file (NUL at byte 5)"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"a O\ncaf\xe9 O\n", "line 2: byte 0xE9 at position 7"),
        (b"\xef\xbb\xbfa O\ncaf\xe9 O\n", "line 2: byte 0xE9 at position 10"),
        (b"a O\n\xe2\x82", "line 2: byte 0xE2 at position 4"),
    ],
)
def test_bad_files_are_named_with_line_and_expectation(tmp_path: Path, content: str | bytes, words: str) -> None:
    assert words in complaint(tmp_path, content)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_corpus(tmp_path / "none.txt")
    with pytest.raises(DataError, match="is a folder"):
        read_corpus(tmp_path)
    (tmp_path / "f").write_text("a O\n")
    with pytest.raises(DataError, match="cannot be read"):
        read_corpus(tmp_path / "f" / "below")


@pytest.mark.parametrize(
    ("options", "words", "tags"),
    [
        (ReadOptions(), ("1", "2"), ("B-X", "O")),
        (ReadOptions(word_column=1), ("Jo", "ran"), ("B-X", "O")),
        (ReadOptions(word_column=-3, tag_column=3), ("NN", "VB"), ("B-X", "O")),
        (ReadOptions(word_column="1", tag_column="2"), ("Jo", "ran"), ("NN", "VB")),
        (ReadOptions(word_column="-4", tag_column=-2), ("Jo", "ran"), ("I-Y", "I-Y")),
    ],
)
def test_columns_by_option(tmp_path: Path, options: ReadOptions, words: tuple[str, ...], tags: tuple[str, ...]) -> None:
    rows = "1 Jo NN I-Y B-X\n2 ran VB I-Y O\n"
    if options.word_column == -3:
        rows = rows.replace("I-Y B-X", "B-X _").replace("I-Y O", "O _")
    sentence = read(tmp_path, rows, options).sentences[0]
    assert (sentence.words, sentence.tags) == (words, tags)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ReadOptions(word_column=2), "column 2: .* has 2 columns; accepted are -2 to 1"),
        (ReadOptions(tag_column=-3), "column -3"),
        (ReadOptions(tag_column="ner"), "has no column names"),
        (ReadOptions(word_column=1), "cannot hold both"),
        (ReadOptions(format="xml"), "accepted are conll, jsonl, csv, tsv, parquet, datasets"),
        (ReadOptions(split="train"), "only folders of datasets have splits"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: ReadOptions, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(tmp_path, "a O\n", options)


def test_unannotated_needs_one_column(tmp_path: Path) -> None:
    corpus = read(tmp_path, "one\n#two\n\nthree\n", annotated=False)
    assert [(each.words, each.tags) for each in corpus.sentences] == [(("one", "#two"), ()), (("three",), ())]
    assert corpus.labels == []
    assert read(tmp_path, "a not-a-tag\nb B-X\n", annotated=False).sentences[0].words == ("a", "b")


BROKEN = "a O\nb I-X\n\nc B-X\nd I-X\n\ne B-X\nf I-Y\n\ng B-X\n"


def test_illegal_moves_are_counted_and_the_first_is_described(tmp_path: Path) -> None:
    corpus = read(tmp_path, BROKEN)
    assert corpus.violations == 2
    assert corpus.first_violation == (
        f"{tmp_path / 'a.txt'}, line 2: tag 'I-X' after tag 'O' is not allowed; in IOB2 an entity begins with B"
    )
    assert [spans(tags) for tags in corpus.tags(Scheme.IOB2)] == [spans(each.tags) for each in corpus.sentences]
    assert next(corpus.tags(Scheme.IOB2)) == ("O", "B-X")


def test_strict_reading_refuses_the_first_illegal_move(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="line 2: tag 'I-X' after tag 'O' is not allowed"):
        read(tmp_path, BROKEN, ReadOptions(strict=True))
    assert read(tmp_path, PLAIN, ReadOptions(strict=True)).violations == 0
    with pytest.raises(SchemeError, match="line 3: the sentence ends after tag 'B-X', which scheme IOBES"):
        read(tmp_path, "a S-X\nb O\nc B-X\n\nd O\n", ReadOptions(strict=True))
    with pytest.raises(SchemeError, match="line 1: tag 'I-X' at the beginning of a sentence"):
        read(tmp_path, "a I-X\n", ReadOptions(strict=True, scheme=Scheme.IOB2))


def test_scheme_errors_name_the_line_of_the_tag(tmp_path: Path) -> None:
    assert "line 4: tag 'LOC' has no prefix" in complaint(tmp_path, "a O\nb B-X\n\nc LOC\nd LOC\n")
    assert "line 3: prefixes B, E, U belong to no one scheme" in complaint(tmp_path, "a B-X\nb U-X\nc E-X\n")
    given_iob = ReadOptions(scheme=Scheme.IOB2)
    assert "line 2: tag 'S-X' is not of scheme IOB2" in complaint(tmp_path, "a B-X\nb S-X\n", given_iob)


def test_labels_without_prefixes_stay_whole(tmp_path: Path) -> None:
    corpus = read(tmp_path, "a product\nb product\nc O\nd geo-loc\n")
    assert (corpus.scheme, corpus.bare, corpus.labels) == (Scheme.IO, True, ["geo-loc", "product"])
    assert list(corpus.tags(Scheme.IOBES)) == [("B-product", "E-product", "O", "S-geo-loc")]
    mixed = read(tmp_path, "a B-cell\nb T-cell\n", ReadOptions(scheme=Scheme.IO))
    assert (mixed.bare, mixed.labels) == (True, ["B-cell", "T-cell"])
    prefixed = read(tmp_path, "a I-X\nb O\n", ReadOptions(scheme=Scheme.IO))
    assert (prefixed.bare, prefixed.labels) == (False, ["X"])


def test_conversion_that_would_lose_an_entity_names_the_line(tmp_path: Path) -> None:
    corpus = read(tmp_path, "x O\n\na B-X\nb B-X\n")
    with pytest.raises(SchemeError, match=re.escape("a.txt, line 3") + ".*touch"):
        list(corpus.tags(Scheme.IO))


# Sentences, words, entities, documents as ../shared/data/README.md gives them. The Spanish files each hold one I- at
# the beginning of a sentence: the README counts B- tags, the reader repairs that I- into one entity more.
REAL = [
    ("conll2003/train.txt", 14041, 203621, 23499, 946, 0),
    ("conll2003/valid.txt", 3250, 51362, 5942, 216, 0),
    ("conll2003/test.txt", 3453, 46435, 5648, 231, 0),
    ("conll2002-es/esp.train", 8323, None, 18797, 1, 1),
    ("conll2002-es/esp.testa", 1915, None, 4351, 1, 1),
    ("conll2002-es/esp.testb", 1517, None, 3558, 1, 1),
    ("wnut16/train.txt", 2394, None, 1496, 1, 0),
    ("wnut16/dev.txt", 1000, None, 661, 1, 0),
    ("wnut16/test.txt", 3850, None, 3473, 1, 0),
]


@pytest.mark.parametrize(("name", "sentences", "words", "entities", "documents", "broken"), REAL)
def test_real_corpora_have_the_known_counts(
    data_dir: Path, name: str, sentences: int, words: int | None, entities: int, documents: int, broken: int
) -> None:
    corpus = read_corpus(data_dir / name)
    assert len(corpus.sentences) == sentences
    assert corpus.sentences[-1].document + 1 == documents
    assert words is None or sum(len(each.words) for each in corpus.sentences) == words
    assert sum(len(spans(each.tags)) for each in corpus.sentences) == entities + broken
    assert sum(tag[0] == "B" for each in corpus.sentences for tag in each.tags) == entities
    assert (corpus.scheme, corpus.bare, corpus.violations) == (Scheme.IOB2, False, broken)
    if name == "conll2002-es/esp.train":
        assert max(len(each.words) for each in corpus.sentences) == 1238
    if name.startswith("wnut16"):
        known = "company facility geo-loc movie musicartist other person product sportsteam tvshow"
        assert corpus.labels == known.split()
