"""Answers of classifiers in every output format: one label, several labels, a number."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.streams.predicting import LABELS, MODELS, classified, objects, put, run, tagged

from tagline.data.streams.answers import classification_columns, renaming
from tagline.data.streams.row import Row
from tagline.data.streams.rows import read_rows
from tagline.data.streams.sinks import SinkOptions, open_sink
from tagline.errors import OutputError, UsageError
from tagline.records import Classification, Label, Problem

CLASSIFIERS = ["single", "top", "multi", "regression"]
PYTHON = {"string": str, "number": float, "strings": list, "scores": list}
SCORES = "list<struct<label: string, score: double>>"
TYPES = {
    "single": {"label": "string", "score": "double"},
    "top": {"label": "string", "score": "double", "scores": SCORES},
    "multi": {"labels": "list<string>", "scores": SCORES},
    "regression": {"score": "double"},
}
TEXTS = ["Ab, c", "", "Zoë 😀", 'a "q"', "x"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def expected(text: str, model: str, pair: str | None = None) -> dict[str, Any]:
    return MODELS[model].read(Row(0, text, pair=pair)).fields()


def types_of(path: Path) -> dict[str, str]:
    """Types by column; Arrow's name for the items of a list differs between versions."""
    return {field.name: re.sub(r"list<\w+: ", "list<", str(field.type)) for field in pq.read_schema(path)}


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize("top", [1, 2])
def test_the_columns_are_those_of_the_answers(problem: Problem, top: int) -> None:
    columns = classification_columns(problem, several=top > 1)
    fields = classified(Row(0, "Ab"), problem, top).fields()
    assert list(fields) == list(columns)
    assert [type(value) for value in fields.values()] == [PYTHON[kind] for kind in columns.values()]


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_jsonl_holds_values(tmp_path: Path, model: str) -> None:
    source = put(tmp_path, "a.jsonl", lines(*({"id": n, "text": text} for n, text in enumerate(TEXTS))))
    assert run(source, tmp_path / "o.jsonl", model).notes() == []
    found = objects(tmp_path / "o.jsonl")
    assert found == [{"text": text, "id": n} | expected(text, model) for n, text in enumerate(TEXTS)]
    assert {tuple(each) for each in found} == {("text", "id", *MODELS[model].answers)}


@pytest.mark.parametrize("model", CLASSIFIERS)
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_tables_hold_strings_as_they_are_and_the_rest_as_json(tmp_path: Path, kind: str, model: str) -> None:
    source = put(tmp_path, "a.jsonl", lines(*({"text": text} for text in TEXTS)))
    run(source, tmp_path / f"o.{kind}", model)
    content = (tmp_path / f"o.{kind}").read_text()
    table = (
        [line.split("\t") for line in content.splitlines()] if kind == "tsv" else [*csv.reader(io.StringIO(content))]
    )
    header, *rows = table
    assert header == ["text", *MODELS[model].answers]
    assert len(rows) == len(TEXTS)
    for text, cells in zip(TEXTS, rows, strict=True):
        values = list(expected(text, model).values())
        plain = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in values]
        assert cells == [text, *plain]


@pytest.mark.parametrize("model", CLASSIFIERS)
@pytest.mark.parametrize("rows", [1, 3])
def test_parquet_holds_types(tmp_path: Path, model: str, rows: int) -> None:
    source = put(tmp_path, "a.jsonl", lines(*({"text": text} for text in TEXTS)))
    run(source, tmp_path / "o.parquet", model, checkpoint_rows=rows)
    assert types_of(tmp_path / "o.parquet") == {"text": "string"} | TYPES[model]
    assert pq.read_table(tmp_path / "o.parquet").to_pylist() == [
        {"text": text} | expected(text, model) for text in TEXTS
    ]


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_outputs_without_rows_have_the_columns(tmp_path: Path, model: str) -> None:
    source = put(tmp_path, "a.csv", "label,text,score,labels,scores\n")
    columns = ["label", "text", "score", "labels", "scores"]
    answers = MODELS[model].answers
    names = [f"{name}_input" if name in answers else name for name in columns]
    for kind, separator in (("csv", ","), ("tsv", "\t")):
        run(source, tmp_path / f"o.{kind}", model)
        assert (tmp_path / f"o.{kind}").read_text() == separator.join([*names, *answers]) + "\n"
    run(source, tmp_path / "o.parquet", model)
    assert types_of(tmp_path / "o.parquet") == dict.fromkeys(names, "string") | TYPES[model]
    run(source, tmp_path / "o.jsonl", model)
    assert (tmp_path / "o.jsonl").read_bytes() == b""


@pytest.mark.parametrize("rows", [0, 2])
def test_fields_of_a_parquet_input_keep_their_types_under_another_name(tmp_path: Path, rows: int) -> None:
    columns = {
        "label": pa.array([2**60 + 1, None], pa.int64()),
        "score": pa.array([1, 2], pa.int8()),
        "text": pa.array(["Ab", "c"], pa.large_string()),
        "label_input": pa.array([[1], []], pa.list_(pa.int32())),
    }
    table = pa.table(columns).slice(0, rows)
    pq.write_table(table, tmp_path / "a.parquet")
    sink = run(tmp_path / "a.parquet", tmp_path / "o.parquet", "single", checkpoint_rows=1)
    out = pq.read_table(tmp_path / "o.parquet")
    names = {"label": "label_input_2", "score": "score_input", "text": "text", "label_input": "label_input"}
    assert out.schema.names == [*names.values(), "label", "score"]
    for before, after in names.items():
        assert out.column(after).type == table.column(before).type
        assert out.column(after).to_pylist() == table.column(before).to_pylist()
    assert out.column("label").to_pylist() == [expected(text, "single")["label"] for text in ("Ab", "c")[:rows]]
    assert sink.notes() == [
        f"the input's field {name!r} is called {names[name]!r} in 2 rows of the output"
        for name in ("label", "score")[:rows]
    ]


def test_fields_with_the_names_of_answers_are_kept(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "Ab", "label": 1, "score": None},
        {"text": "c", "label": "x", "label_input": "mine"},
        {"text": "d", "scores": [1]},
    ]
    source = put(tmp_path, "a.jsonl", lines(*rows))
    sink = run(source, tmp_path / "o.jsonl", "single")
    assert objects(tmp_path / "o.jsonl") == [
        {"text": "Ab", "label_input": 1, "score_input": None} | expected("Ab", "single"),
        {"text": "c", "label_input_2": "x", "label_input": "mine"} | expected("c", "single"),
        {"text": "d", "scores": [1]} | expected("d", "single"),
    ]
    assert sink.notes() == [
        "the input's field 'label' is called 'label_input' in 1 rows of the output",
        "the input's field 'label' is called 'label_input_2' in 1 rows of the output",
        "the input's field 'score' is called 'score_input' in 1 rows of the output",
    ]
    table = put(tmp_path, "a.tsv", "label\ttext\tlabels\n0\tAb\tq\n1\tc\t\n")
    assert run(table, tmp_path / "o.tsv", "single").notes() == [
        "the input's field 'label' is called 'label_input' in 2 rows of the output"
    ]
    header, *cells = [line.split("\t") for line in (tmp_path / "o.tsv").read_text().splitlines()]
    assert header == ["label_input", "text", "labels", "label", "score"]
    assert [each[:4] for each in cells] == [
        ["0", "Ab", "q", expected("Ab", "single")["label"]],
        ["1", "c", "", expected("c", "single")["label"]],
    ]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_text_in_a_field_that_the_answers_need_is_kept_too(tmp_path: Path, kind: str) -> None:
    answers, read = MODELS["regression"]
    rows = [Row(number, text, text_field="score", extra={"n": number}) for number, text in enumerate(("Ab", "c"))]
    with open_sink(tmp_path / f"o.{kind}", SinkOptions(answers=answers, checkpoint_rows=1)) as sink:
        for row in rows:
            sink.write(row, read(row))
    if kind == "parquet":
        assert types_of(tmp_path / "o.parquet") == {"score_input": "string", "n": "int64", "score": "double"}
        found = pq.read_table(tmp_path / "o.parquet").to_pylist()
    elif kind == "jsonl":
        found = objects(tmp_path / "o.jsonl")
    else:
        with (tmp_path / "o.csv").open(newline="") as stream:
            found = [each | {"score": float(each["score"]), "n": int(each["n"])} for each in csv.DictReader(stream)]
    assert found == [{"score_input": row.text, "n": row.number, **read(row).fields()} for row in rows]


def test_new_names_are_free() -> None:
    answers = ("label", "score", "label_input")
    assert renaming(("text", "id"), answers) == {}
    assert renaming(("text", "label"), answers) == {"label": "label_input_2"}
    assert renaming(("label", "label_input", "label_input_2"), answers) == {
        "label": "label_input_3",
        "label_input": "label_input_input",
    }


@settings(max_examples=25)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4))
def test_any_text_pair_and_label_round_trips(
    tmp_path_factory: pytest.TempPathFactory, triples: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("out")
    answers = classification_columns(Problem.MULTI) | classification_columns(Problem.SINGLE)

    class Both(Classification):
        def fields(self) -> dict[str, Any]:
            scores = [each._asdict() for each in self.scores]
            return {"labels": list(self.labels), "scores": scores, "label": self.label, "score": self.score}

    found = [Both(a, b, Problem.MULTI, (Label(label, 1 / 3),), (label, b)) for a, b, label in triples]
    for name in ("o.jsonl", "o.csv", "o.parquet"):
        with open_sink(folder / name, SinkOptions(answers=answers)) as sink:
            for number, each in enumerate(found):
                sink.write(Row(number, each.text, extra={"n" * 1000: "", "b": each.pair}, pair=each.pair), each)
        for row, each in zip(read_rows(folder / name), found, strict=True):
            assert (row.text, row.extra["b"], row.extra["label"]) == (each.text, each.pair, each.label)
            values = {key: row.extra[key] for key in ("labels", "scores", "score")}
            if name == "o.csv":
                values = {key: json.loads(value) for key, value in values.items()}
            assert values | {"label": each.label} == each.fields()


def test_pairs_keep_both_texts(tmp_path: Path) -> None:
    source = put(tmp_path, "a.csv", "text_pair,text,id\nB,a,1\nd,C,2\n")
    run(source, tmp_path / "o.jsonl", "single", pair="text_pair")
    assert objects(tmp_path / "o.jsonl") == [
        {"text_pair": "B", "text": "a", "id": "1"} | expected("a", "single", "B"),
        {"text_pair": "d", "text": "C", "id": "2"} | expected("C", "single", "d"),
    ]
    with open_sink(tmp_path / "p.jsonl", SinkOptions(answers=MODELS["single"].answers)) as sink:
        row = Row(0, "a", pair="B", extra={"text_pair": "B"})
        with pytest.raises(ValueError, match="of another text"):
            sink.write(row, classified(Row(0, "a", pair="C"), Problem.SINGLE, 1))
        sink.write(row, classified(row, Problem.SINGLE, 1))


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_conll_is_refused_before_anything_is_written(tmp_path: Path, model: str) -> None:
    answers = MODELS[model].answers
    said = f"these answers are {', '.join(answers)}. Accepted formats are jsonl, csv, tsv, parquet: "
    for name, form in (("o.conll", None), ("o.TXT", None), ("o.csv", "conll"), ("-", "conll")):
        with pytest.raises(UsageError, match=re.escape(said)):
            open_sink(name if name == "-" else tmp_path / name, SinkOptions(format=form, answers=answers))
    with pytest.raises(UsageError, match=r"accepted endings are \.jsonl, \.csv, \.tsv, \.parquet\."):
        open_sink(tmp_path / "o.doc", SinkOptions(answers=answers))
    assert list(tmp_path.iterdir()) == []
    with open_sink(tmp_path / "o.conll", SinkOptions(format="csv", answers=answers)) as sink:
        sink.write(Row(0, "a"), MODELS[model].read(Row(0, "a")))
    assert (tmp_path / "o.conll").read_text().startswith(",".join(["text", *answers]) + "\n")


def test_answers_are_as_announced(tmp_path: Path) -> None:
    row = Row(0, "Ab")
    for target in (tmp_path / "o.jsonl", tmp_path / "o.csv", tmp_path / "o.parquet"):
        with open_sink(target, SinkOptions(answers=MODELS["single"].answers)) as sink:
            for other in (classified(row, Problem.SINGLE, 2), classified(row, Problem.MULTI), tagged(row)):
                with pytest.raises(ValueError, match=r"the answer has the columns .*; expected label, score"):
                    sink.write(row, other)
            sink.write(row, classified(row, Problem.SINGLE, 1))
            assert sink.rows_done == 1
    with open_sink(tmp_path / "o.conll") as sink, pytest.raises(ValueError, match="a Classification has no tags"):
        sink.write(row, classified(row, Problem.SINGLE))
    for answers, said in (
        ({"label": "text"}, "of the kind 'text'; expected one of entities, string"),
        ({}, "no columns"),
    ):
        with pytest.raises(ValueError, match=said):
            open_sink(tmp_path / "p.jsonl", SinkOptions(answers=answers))
    assert not (tmp_path / "p.jsonl.partial").exists()


def test_a_label_that_tsv_cannot_hold_is_said(tmp_path: Path) -> None:
    answers, row = MODELS["single"].answers, Row(0, "a")
    bad = Classification("a", None, Problem.SINGLE, (Label("two\tcells", 0.5),), ("two\tcells",))
    with (
        pytest.raises(OutputError, match=r"TSV cannot hold 'two\\tcells'.*\.csv, \.jsonl or \.parquet"),
        open_sink(tmp_path / "o.tsv", SinkOptions(answers=answers)) as sink,
    ):
        sink.write(row, bad)
    with open_sink(tmp_path / "o.csv", SinkOptions(answers=answers)) as sink:
        sink.write(row, bad)
    assert (tmp_path / "o.csv").read_text() == "text,label,score\na,two\tcells,0.5\n"


@pytest.mark.parametrize(
    ("form", "begin"), [("csv", "text,n,score\nA,1,"), ("jsonl", '{"text": "A", "n": 1, "score": ')]
)
def test_standard_output(monkeypatch: pytest.MonkeyPatch, form: str, begin: str) -> None:
    answers, read = MODELS["regression"]
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    row = Row(0, "A", extra={"n": 1})
    with open_sink(None, SinkOptions(format=form, answers=answers)) as sink:
        sink.write(row, read(row))
        assert out.getvalue().decode().startswith(begin)
    with open_sink(None, SinkOptions(format="csv", answers=answers, columns=("text", "score"))):
        pass
    assert (
        out.getvalue().decode().endswith("\ntext,score_input,score\n" if form == "csv" else "text,score_input,score\n")
    )


def test_the_stand_ins_give_answers_of_every_shape() -> None:
    """Guards the tests above: no label, several labels, and labels that CSV must quote do occur."""
    multi = [classified(Row(0, text), Problem.MULTI).labels for text in map(str, range(40))]
    assert {len(labels) for labels in multi} >= {0, 1, 2}
    assert {label for labels in multi for label in labels} == set(LABELS)
