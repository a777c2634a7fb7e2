"""brat and Label Studio as these tools write them; CoNLL kept as it is; labelled texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tagline.data.convert.brat import BratOptions
from tagline.data.convert.labelstudio import labels_config
from tagline.data.convert.run import ConvertOptions, convert, read_items
from tagline.data.convert.texts import convert_texts
from tagline.data.reading import ReadOptions
from tagline.data.schemes import Scheme
from tagline.data.texts.options import TextOptions
from tagline.data.texts.reading import read_texts
from tagline.errors import DataError, OutputError, SchemeError, UsageError

NOTE = "North and South Korea met.\nThe talks of the\nKorean Talks Group ended 😀 in Geneva.\n"
ANN = """T1\tLOC 0 5;16 21\tNorth Korea
T2\tLOC 10 21\tSouth Korea
T3\tORG 40 43;44 56\tthe Korean Talks
T4\tLOC 74 80\tGeneva
R1\tNear Arg1:T1 Arg2:T2
#1\tAnnotatorNotes T1\tis it?
"""


@pytest.fixture
def brat(tmp_path: Path) -> Path:
    folder = tmp_path / "brat"
    folder.mkdir()
    (folder / "note.txt").write_text(NOTE, encoding="utf-8")
    (folder / "note.ann").write_text(ANN, encoding="utf-8")
    (folder / "alone.txt").write_text("nobody has read this", encoding="utf-8")
    return folder


def spans_of(folder: Path, **options: str) -> list[list[tuple[str, str]]]:
    items = read_items(folder, ConvertOptions(brat=BratOptions(**options))).items
    return [[(item.text[span.start : span.end], span.label) for span in item.spans] for item in items]


def test_entities_in_pieces_are_refused_with_their_places(brat: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_items(brat, ConvertOptions())
    assert "1 entities are in several pieces" in str(caught.value)
    assert f"{brat / 'note.ann'}, line 1: LOC 0 5;16 21 is in 2 pieces" in str(caught.value)
    assert "--discontinuous join" in str(caught.value)


def test_entities_in_pieces_are_joined_or_dropped(brat: Path) -> None:
    crossing = [("the\nKorean Talks", "ORG"), ("Geneva", "LOC")]
    joined = [[("North and South Korea", "LOC"), ("South Korea", "LOC")], crossing]
    assert spans_of(brat, discontinuous="join") == joined
    assert spans_of(brat, discontinuous="drop") == [[("South Korea", "LOC")], crossing]
    assert spans_of(brat, discontinuous="drop", unit="file") == [[("South Korea", "LOC"), *crossing]]
    read = read_items(brat, ConvertOptions(brat=BratOptions("join")))
    assert [(item.line, item.name) for item in read.items] == [(1, "note"), (2, "note")]
    assert read.losses.counts() == {"columns": 2, "discontinuous": 1, "unannotated": 1}
    told = [str(each) for each in read.losses.found]
    assert f"{brat / 'note.ann'}, line 5: relations are not entities: 'R1\\tNear Arg1:T1 Arg2:T2'; left out" in told
    assert any(each.startswith(f"{brat / 'alone.txt'}: has no .ann") for each in told)


def test_overlapping_entities_are_listed_where_tags_cannot_hold_them(brat: Path, tmp_path: Path) -> None:
    from tagline.text.words import WordSplitter

    options = ConvertOptions(brat=BratOptions("join"), split_words=WordSplitter())
    done = convert(brat, tmp_path / "out.conll", options)
    assert done.losses.counts()["overlapping"] == 1
    assert "North B-LOC\nand I-LOC\nSouth I-LOC\nKorea I-LOC\n" in (tmp_path / "out.conll").read_text("utf-8")
    held = convert(brat, tmp_path / "out.jsonl", options)
    assert "overlapping" not in held.losses.counts()


def test_brat_comes_back_as_brat_with_its_names(brat: Path, tmp_path: Path) -> None:
    convert(brat, tmp_path / "out", ConvertOptions(target="brat", brat=BratOptions("drop", "file")))
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["annotation.conf", "note.ann", "note.txt"]
    assert (tmp_path / "out" / "note.ann").read_text("utf-8").splitlines() == [
        "T1\tLOC 10 21\tSouth Korea", "T2\tORG 40 43;44 56\tthe Korean Talks", "T3\tLOC 74 80\tGeneva",
    ]  # fmt: skip
    assert (tmp_path / "out" / "note.txt").read_text("utf-8").rstrip("\n") == NOTE.rstrip("\n")
    assert (tmp_path / "out" / "annotation.conf").read_text().startswith("[entities]\nLOC\nORG\n[relations]")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("T1\tLOC 0 99999\tx", "not within the text"),
        ("T1\tLOC 5 5\tx", "not within the text"),
        ("T1\tLOC zero five\tNorth", "expected an entity"),
        ("T1", "expected an entity"),
        ("Q1\tsomething", "no line of brat's"),
        ("T1\tLOC 1 6\tNorth", "says 'North', but"),
    ],
)
def test_broken_lines_of_brat_are_named(brat: Path, line: str, part: str) -> None:
    (brat / "note.ann").write_text(f"T9\tLOC 0 5\tNorth\n{line}\n")
    with pytest.raises(DataError, match=part) as caught:
        read_items(brat, ConvertOptions())
    assert caught.value.line == 2
    assert caught.value.path == brat / "note.ann"


def test_brat_needs_pairs(tmp_path: Path) -> None:
    (tmp_path / "one.ann").write_text("T1\tLOC 0 5\tNorth\n")
    with pytest.raises(DataError, match=r"one\.txt is missing"):
        read_items(tmp_path, ConvertOptions())


def test_brat_takes_no_label_with_white_space(tmp_path: Path) -> None:
    row = {"text": "Oslo", "entities": [[0, 4, "big city"]]}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(OutputError, match="'big city' has white space"):
        convert(tmp_path / "in.jsonl", tmp_path / "out", ConvertOptions(target="brat"))
    assert not (tmp_path / "out").exists()


def result(start: int, end: int, text: str | None, *labels: str) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(labels), **({} if text is None else {"text": text})}
    return {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def tasks(path: Path, *given: dict[str, Any]) -> Path:
    path.write_text(json.dumps(list(given), ensure_ascii=False), encoding="utf-8")
    return path


def test_tasks_are_read_as_label_studio_exports_them(tmp_path: Path) -> None:
    text = "😀 Ana in Oslo"
    source = tasks(
        tmp_path / "in.json",
        {
            "id": 7,
            "data": {"text": text, "source": "mail"},
            "annotations": [
                {"id": 1, "result": [result(0, 1, "😀", "X")], "was_cancelled": True},
                {"id": 2, "result": [result(2, 5, "Ana", "PER")]},
                {
                    "id": 3,
                    "ground_truth": True,
                    "result": [
                        result(2, 5, "Ana", "PER", "X"),
                        result(9, 13, None, "LOC"),
                        {"type": "choices", "value": {"choices": ["good"]}},
                        {"type": "relation", "from_id": "a", "to_id": "b"},
                    ],
                },
            ],
            "predictions": [{"result": [result(9, 13, "Oslo", "ORG")]}],
        },
        {"id": 8, "data": {"text": text}, "annotations": [{"result": [result(3, 6, "Ana", "PER")]}]},  # UTF-16 units
        {"id": 9, "data": {"text": "not yet"}, "annotations": []},
    )
    read = read_items(source, ConvertOptions())
    assert [[(*span,) for span in item.spans] for item in read.items] == [
        [(2, 5, "PER"), (2, 5, "X"), (9, 13, "LOC")],
        [(2, 5, "PER")],
    ]
    assert read.losses.counts() == {"columns": 3, "unannotated": 1}
    assert [each.line for each in read.losses.found] == [1, 1, 1, 3]
    assert len(read_items(source, ConvertOptions(), annotated=False).items) == 3


def test_json_min_is_read_too(tmp_path: Path) -> None:
    marks = [{"start": 0, "end": 3, "text": "Ana", "labels": ["PER"]}]
    source = tasks(
        tmp_path / "in.json", {"id": 1, "text": "Ana", "label": marks, "annotator": 1}, {"id": 2, "text": "no one"}
    )
    read = read_items(source, ConvertOptions())
    assert [(item.text, [span.label for span in item.spans]) for item in read.items] == [("Ana", ["PER"])]
    assert read.losses.counts() == {"unannotated": 1}


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"data": {"text": "Ana"}, "annotations": [{"result": [result(0, 9, "Ana", "P")]}]}, "does not fit the text"),
        ({"data": {"text": "Ana"}, "annotations": [{"result": [result(0, 3, "Bob", "P")]}]}, "does not fit the text"),
        ({"data": {"a": "x", "b": "y"}, "annotations": [{"result": []}]}, "expected a text"),
        ({"data": {"text": "Ana"}, "annotations": []}, "none of its 1 tasks"),
    ],
)
def test_tasks_that_do_not_fit_are_named(given: dict[str, Any], part: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=part):
        read_items(tasks(tmp_path / "in.json", given), ConvertOptions())


def test_another_name_of_the_text(tmp_path: Path) -> None:
    given_ = {"data": {"title": "T", "body": "Ana"}, "annotations": [{"result": [result(0, 3, "Ana", "PER")]}]}
    options = ConvertOptions(ReadOptions(word_column="body"))
    assert [item.text for item in read_items(tasks(tmp_path / "in.json", given_), options).items] == ["Ana"]


def test_the_interface_names_every_label() -> None:
    from xml.etree import ElementTree

    tree = ElementTree.fromstring(labels_config(["PER", 'a "b" & <c>']))
    assert [each.get("value") for each in tree.iter("Label")] == ["PER", 'a "b" & <c>']


COLUMNS = """-DOCSTART- -X- O

# a comment of five words
EU NNP  I-ORG
rejects VBZ O
German JJ I-MISC
British JJ B-MISC

"""


def test_conll_keeps_everything_but_its_tags(tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_bytes(b"\xef\xbb\xbf" + COLUMNS.replace("\n", "\r\n").encode())
    done = convert(tmp_path / "in.conll", tmp_path / "out.conll", ConvertOptions(scheme=Scheme.IOBES))
    assert done.losses.found == []
    wanted = COLUMNS.replace("I-ORG", "S-ORG").replace("I-MISC", "S-MISC").replace("B-MISC", "S-MISC")
    assert (tmp_path / "out.conll").read_bytes() == b"\xef\xbb\xbf" + wanted.replace("\n", "\r\n").encode()
    other = convert(tmp_path / "in.conll", tmp_path / "out.jsonl")
    assert other.losses.counts() == {"columns": 4, "comments": 1}


def test_empty_cells_between_tabs_stay(tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("EU\t\tB-ORG\tx\n\t\tO\t\n")
    options = ConvertOptions(ReadOptions(tag_column=2), scheme=Scheme.IOBES)
    convert(tmp_path / "in.conll", tmp_path / "out.conll", options)
    assert (tmp_path / "out.conll").read_text() == "EU\t\tS-ORG\tx\n\t\tO\t\n"


def test_broken_tags_are_kept_or_listed(tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("Ana B-PER\nNovak I-LOC\n\nall O\n")
    kept = convert(tmp_path / "in.conll", tmp_path / "same.jsonl")
    assert kept.losses.found == []
    assert json.loads((tmp_path / "same.jsonl").read_text().splitlines()[0])["ner_tags"] == ["B-PER", "I-LOC"]
    for target, scheme in (("other.conll", Scheme.IOBES), ("spans.json", None)):
        listed = convert(tmp_path / "in.conll", tmp_path / target, ConvertOptions(scheme=scheme))
        assert listed.losses.counts()["tags"] == 1
        broken = next(each for each in listed.losses.found if each.kind == "tags")
        assert (broken.line, "'I-LOC' of word 2 breaks scheme IOB2" in broken.detail) == (1, True)


def test_io_refuses_entities_that_it_would_merge(tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("all O\n\nAna B-PER\nBo B-PER\n")
    with pytest.raises(SchemeError, match=r"line 3: .*IO would merge"):
        convert(tmp_path / "in.conll", tmp_path / "out.conll", ConvertOptions(scheme=Scheme.IO))
    assert not (tmp_path / "out.conll").exists()


def test_nothing_is_written_over_or_half(tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("Ana B-PER\n")
    (tmp_path / "out.jsonl").write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        convert(tmp_path / "in.conll", tmp_path / "out.jsonl")
    with pytest.raises(UsageError, match="source and the target"):
        convert(tmp_path / "in.conll", tmp_path / "in.conll", ConvertOptions(overwrite=True))
    assert (tmp_path / "out.jsonl").read_text() == "mine"
    done = convert(tmp_path / "in.conll", tmp_path / "x.json", ConvertOptions(may_lose=False))
    assert (done.written, done.losses.counts()) == (False, {"words": 1})
    assert not (tmp_path / "x.json").exists()


def test_a_tsv_refuses_texts_that_it_cannot_hold(tmp_path: Path) -> None:
    rows = [{"text": "fine", "entities": []}, {"text": "a\tb", "entities": []}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(OutputError, match=r"1 texts hold a tab .*\(number 2\)"):
        convert(tmp_path / "in.jsonl", tmp_path / "out.tsv")
    assert not (tmp_path / "out.tsv").exists()


TEXTS: dict[str, list[dict[str, Any]]] = {
    "label": [{"text": 'a "b", c', "label": "x"}, {"text": "", "label": "1"}],
    "labels": [{"text": "a", "labels": ["x", "y, z"]}, {"text": "b", "labels": []}],
    "score": [{"text": "a", "score": 0.1}, {"text": "b", "score": -3.0}],
    "pair": [{"text": "a", "text_pair": "b", "label": "same"}, {"text": "c", "text_pair": "", "label": "other"}],
}


@pytest.mark.parametrize("kind", TEXTS)
def test_labelled_texts_come_back_through_every_format(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in TEXTS[kind]))
    wanted = read_texts(source)
    for first in ("a.tsv", "a.csv", "a.jsonl", "a.parquet"):
        done, _ = convert_texts(source, tmp_path / first, overwrite=True)
        assert done.losses.found == []
        for second in ("b.tsv", "b.csv", "b.jsonl", "b.parquet"):
            convert_texts(tmp_path / first, tmp_path / second, overwrite=True)
            found = read_texts(tmp_path / second)
            assert (found.problem, found.paired) == (wanted.problem, wanted.paired)
            assert [(each.text, each.pair, each.labels, each.score) for each in found.texts] == [
                (each.text, each.pair, each.labels, each.score) for each in wanted.texts
            ]


def test_further_columns_of_texts_are_counted(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text,label,when\n1,a,x,now\n2,b,y,then\n")
    done, _ = convert_texts(tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert [(each.count, each.detail) for each in done.losses.found] == [(2, "further columns: 'id', 'when'")]
    (tmp_path / "bare.tsv").write_text("a\tx\t1\nb\ty\t2\n")
    options = TextOptions(text_column=0, label_column=1, header=False)
    done, _ = convert_texts(tmp_path / "bare.tsv", tmp_path / "bare.jsonl", options)
    assert done.losses.counts() == {"columns": 1}
