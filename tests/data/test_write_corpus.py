"""Writing corpora: what is written is read back the same."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.data.corpus import Corpus, ReadOptions, read_corpus
from tagline.data.schemes import Scheme, spans
from tagline.data.write_corpus import copy_with_column, write_conll, write_corpus
from tagline.errors import DataError, OutputError, SchemeError, UsageError
from tagline.records import Sentence

# Every character but what no CoNLL file can hold or no UTF-8 can write; NUL marks a small file as binary.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\n\t\0")
WORDS = st.one_of(st.text(CHARACTERS, max_size=6), st.sampled_from(["#tag", "# x", "\ufeff", "\u2028", "{", '"', "O"]))


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    sentences: list[Sentence] = []
    document = 0
    for _ in range(draw(st.integers(1, 4))):
        words = tuple(draw(st.lists(WORDS, min_size=1, max_size=5)))
        tags = tuple(draw(st.sampled_from(["O", "B-PER", "I-PER", "B-geo-loc"])) for _ in words)
        sentences.append(Sentence.from_words(words, tags, 0, document))
        document += draw(st.integers(0, 1))
    return Corpus(tuple(sentences), Scheme.IOB2, False, "made", "conll", "", 0, "", 0, ())


def content(corpus: Corpus) -> list[tuple[tuple[str, ...], tuple[str, ...], int]]:
    return [(each.words, each.tags, each.document) for each in corpus.sentences]


def by_space(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^ ]+", text)]


IOB2 = ReadOptions(scheme=Scheme.IOB2)


@pytest.mark.parametrize("form", ["conll", "jsonl"])
@given(corpus=corpora())
def test_write_then_read_is_identity(form: str, corpus: Corpus) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write_corpus(path, corpus, form=form)
        assert [each.name for each in Path(folder).iterdir()] == ["a"]
        back = read_corpus(path, replace(IOB2, format=form))
        assert content(back) == content(corpus)
        write_corpus(path, back, form=form)
        again = read_corpus(path, replace(IOB2, format=form))
        assert again.fingerprint == back.fingerprint


@given(corpus=corpora(), scheme=st.sampled_from(Scheme))
def test_written_in_any_scheme_the_entities_stay(corpus: Corpus, scheme: Scheme) -> None:
    entities = [spans(each.tags) for each in corpus.sentences]
    touch = any(a.end == b.start and a.label == b.label for row in entities for a, b in pairwise(row))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.conll"
        if scheme is Scheme.IO and touch:
            with pytest.raises(SchemeError, match="would merge"):
                write_corpus(path, corpus, scheme)
            assert not list(Path(folder).iterdir())
            return
        write_corpus(path, corpus, scheme)
        back = read_corpus(path, ReadOptions(scheme=scheme, strict=True))
        assert back.bare is False
        assert [spans(each.tags, scheme) for each in back.sentences] == entities


@given(corpus=corpora())
def test_spans_keep_text_and_entities(corpus: Corpus) -> None:
    plain = [word.replace(" ", "_") or "_" for each in corpus.sentences for word in each.words]
    words = iter(plain)
    solid = replace(
        corpus,
        sentences=tuple(
            Sentence.from_words(tuple(next(words) for _ in each.words), each.tags, 0, each.document)
            for each in corpus.sentences
        ),
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        write_corpus(path, solid, form="jsonl-spans")
        back = read_corpus(path, None, by_space)
        assert back.unaligned == ()
        assert [(each.words, each.text) for each in back.sentences] == [
            (each.words, each.text) for each in solid.sentences
        ]
        assert [spans(each.tags) for each in back.sentences] == [spans(each.tags) for each in solid.sentences]


def made(words: tuple[str, ...], tags: tuple[str, ...] = ()) -> Corpus:
    return Corpus((Sentence.from_words(words, tags, 7),), Scheme.IO, True, "made", "conll", "", 0, "", 0, ())


def test_plain_labels_stay_plain_and_get_prefixes_on_request(tmp_path: Path) -> None:
    corpus = made(("New", "York", "x"), ("geo-loc", "geo-loc", "O"))
    write_corpus(tmp_path / "a", corpus)
    assert (tmp_path / "a").read_text() == "New geo-loc\nYork geo-loc\nx O\n\n"
    write_corpus(tmp_path / "a", corpus, Scheme.IOBES)
    assert (tmp_path / "a").read_text() == "New B-geo-loc\nYork E-geo-loc\nx O\n\n"


@pytest.mark.parametrize("word", ["a\nb", "a\tb", "-DOCSTART-", "-DOCSTART- x"])
def test_words_that_conll_cannot_hold_are_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(OutputError, match=re.escape(f"word {word!r} of the sentence at line 7")):
        write_corpus(tmp_path / "a", made((word,), ("O",)))
    assert not list(tmp_path.iterdir())
    write_corpus(tmp_path / "a.jsonl", made((word, "b"), ("O", "O")))
    assert read_corpus(tmp_path / "a.jsonl").sentences[0].words == (word, "b")


@pytest.mark.parametrize("word", ["", "a b", " ", "a\r"])
def test_one_column_holds_less(tmp_path: Path, word: str) -> None:
    with pytest.raises(OutputError, match="cannot stand in a CoNLL file"):
        write_corpus(tmp_path / "a", made((word,)))
    write_corpus(tmp_path / "a", made(("#a", "b")))
    assert read_corpus(tmp_path / "a", annotated=False).sentences[0].words == ("#a", "b")


def test_unknown_format_and_columns_of_wrong_length(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="accepted are conll, jsonl, jsonl-spans"):
        write_corpus(tmp_path / "a", made(("a",), ("O",)), form="xml")
    with pytest.raises(ValueError, match="argument 2 is longer"):
        write_conll(tmp_path / "a", [(Sentence.from_words(("a",)), [["O", "O"]])])
    assert not list(tmp_path.iterdir())


COPY = "\ufeff# id = 1\r\n-DOCSTART- -X- O\r\n\r\nEU  NNP B-ORG\r\nsays VB O \r\n \n# two\nPeter NNP B-PER"


def test_a_column_is_added_and_all_else_is_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(COPY.encode())
    copy_with_column(source, target, [["B-X", "O"], ["S"]])
    expected = COPY.replace("-X- O", "-X- O O").replace("B-ORG", "B-ORG B-X").replace("VB O ", "VB O  O") + " S"
    assert target.read_bytes().decode() == expected
    back = read_corpus(target, ReadOptions(scheme=Scheme.IO))
    assert [each.tags for each in back.sentences] == [("B-X", "O"), ("S",)]
    gold = read_corpus(target, ReadOptions(tag_column=2))
    assert [each.tags for each in gold.sentences] == [("B-ORG", "O"), ("B-PER",)]


@pytest.mark.parametrize(
    "tags", [[], [["O"], ["O"]], [["O", "O", "O"], ["O"]], [["O", "O"], ["O"], ["O"]], [["O", "O"], []]]
)
def test_a_column_that_does_not_fit_writes_nothing(tmp_path: Path, tags: list[list[str]]) -> None:
    (tmp_path / "a").write_bytes(COPY.encode())
    with pytest.raises(ValueError, match="as many sentences and words"):
        copy_with_column(tmp_path / "a", tmp_path / "b", tags)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_other_formats_become_words_gold_and_new(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"tokens": ["New York", "x"], "ner_tags": ["B-LOC", "O"]}\n')
    copy_with_column(tmp_path / "a.jsonl", tmp_path / "b", [["O", "O"]])
    assert (tmp_path / "b").read_text() == "New York\tB-LOC\tO\nx\tO\tO\n\n"
    with pytest.raises(DataError, match="no such file"):
        copy_with_column(tmp_path / "none", tmp_path / "c", [])


def test_real_corpora_survive_a_copy(data_dir: Path, tmp_path: Path) -> None:
    for name in ("conll2003/test.txt", "wnut16/dev.txt"):
        corpus = read_corpus(data_dir / name)
        copy_with_column(data_dir / name, tmp_path / "a", (each.tags for each in corpus.sentences))
        assert content(read_corpus(tmp_path / "a")) == content(corpus)
        write_corpus(tmp_path / "b", corpus, Scheme.BILOU)
        bilou = read_corpus(tmp_path / "b", ReadOptions(strict=True))
        assert bilou.scheme is Scheme.BILOU
        assert list(bilou.tags(Scheme.IOB2)) == [each.tags for each in corpus.sentences]
