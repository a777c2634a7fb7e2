"""`tagline convert`: what it says, what it leaves, and predictions for Label Studio."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.support import LEARN, call, quiet, refused, write_encoder

import make_corpus
from tagline.predict import Tagger, load

WORDS = "Ana B-PER\nBo I-PER\nleft O\n\nOslo B-LOC\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "in.conll"
    path.write_text(WORDS)
    return path


def test_it_says_what_it_did(corpus: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    result = call("convert", corpus, target)
    assert (result.code, result.out) == (0, "")
    assert result.err == f"{target}: 2 texts, 2 entities or labels, conll to jsonl\n"
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert rows[0] == {"tokens": ["Ana", "Bo", "left"], "ner_tags": ["B-PER", "I-PER", "O"]}


def test_schemes(corpus: Path, tmp_path: Path) -> None:
    assert call("convert", corpus, tmp_path / "out.conll", "--to-scheme", "iobes").code == 0
    assert (tmp_path / "out.conll").read_text() == WORDS.replace("I-PER", "E-PER").replace("B-LOC", "S-LOC")


def test_losses_are_said_listed_and_counted(tmp_path: Path) -> None:
    rows = [{"text": f"x{number} Anabel", "entities": [[3, 6, "PER"]]} for number in range(8)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    where, lost = tmp_path / "in.jsonl", tmp_path / "lost.tsv"
    result = call("convert", where, tmp_path / "out.conll", "--lost", lost)
    assert result.code == 0
    assert "warning: 8 × entities that do not fall on word borders:\n" in result.err
    assert f"  {where}, line 5: 'Ana' (3:6, PER) does not fall on word borders; read as 'Anabel'\n" in result.err
    assert f"and 3 more; all of them in {lost}" in result.err
    table = lost.read_text().splitlines()
    assert table[0] == "kind\tfile\tline\tcount\tdetail"
    assert [line.split("\t")[:3] for line in table[1:]] == [["unaligned", str(where), str(n)] for n in range(1, 9)]

    told = json.loads(call("convert", where, tmp_path / "again.conll", "--json").out)
    assert (told["texts"], told["entities"], told["written"], told["lost"]) == (8, 8, True, {"unaligned": 8})
    assert told["losses"][7]["line"] == 8


def test_fail_on_loss_writes_nothing(corpus: Path, tmp_path: Path) -> None:
    result = call("convert", corpus, tmp_path / "out.json", "--fail-on-loss")
    assert result.code == 1
    assert "is not written" in result.err
    assert not (tmp_path / "out.json").exists()
    assert call("convert", corpus, tmp_path / "out.csv", "--fail-on-loss").code == 0


def test_words_come_back_from_brat_when_split_at_spaces(corpus: Path, tmp_path: Path) -> None:
    assert call("convert", corpus, tmp_path / "b", "--to", "brat").code == 0
    assert call("convert", tmp_path / "b", tmp_path / "back.conll", "--words", "space").code == 0
    assert (tmp_path / "back.conll").read_text() == WORDS + "\n"


def test_labelled_texts(tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("text\tlabel\nfine, thanks\tgood\n")
    result = call("convert", tmp_path / "in.tsv", tmp_path / "out.csv")
    assert result.code == 0, result
    assert (tmp_path / "out.csv").read_text() == '"text","label"\n"fine, thanks","good"\n'
    refused(
        call("convert", tmp_path / "in.tsv", tmp_path / "out.spacy", "--label-column", "label"), "texts with labels"
    )
    refused(call("convert", tmp_path / "in.tsv", tmp_path / "o.csv", "--as", "spans"), "--as", "is for entities")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["out.xyz"], ["'out.xyz' tells no format", "--to"]),
        (["out", "--to", "word"], ["--to is 'word'", "labelstudio"]),
        (["out.csv", "--from", "word"], ["--from is 'word'", "brat"]),
        (["out.csv", "--to-scheme", "XYZ"], ["--to-scheme is 'XYZ'", "IOBES"]),
        (["out.json", "--to-scheme", "IOBES"], ["--to-scheme is for tags"]),
        (["out.csv", "--as", "both"], ["--as is 'both'", "tokens, spans"]),
        (["out.conll", "--as", "spans"], ["--as is for", "conll has one form only"]),
        (["out.conll", "--words", "none"], ["--words is 'none'", "rules and space"]),
        (["out.conll", "--discontinuous", "no"], ["--discontinuous is 'no'", "refuse, join, drop"]),
        (["out.conll", "--brat-texts", "no"], ["--brat-texts is 'no'", "line, file"]),
        (["in.conll", "--overwrite"], ["is the source and the target"]),
        (["out.csv", "--lost", "in.conll"], ["--lost is", "another name"]),
        (["out.conll", "--from", "txt"], ["plain text without annotation", "--predictions-of"]),
        (["out.conll", "--from", "brat"], ["is no folder"]),
        (["missing/out.conll"], ["cannot be written", "folder does not exist"]),
    ],
)
def test_wrong_options_are_refused(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], parts: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call("convert", corpus.name, *options), *parts)
    assert [path.name for path in tmp_path.iterdir()] == ["in.conll"]
    assert corpus.read_text() == WORDS


def test_what_is_there_stays_unless_told(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    refused(call("convert", corpus, tmp_path / "out.csv"), "is there already", "--overwrite")
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert call("convert", corpus, tmp_path / "out.csv", "--overwrite").code == 0
    assert (tmp_path / "out.csv").read_text().startswith('"tokens"')
    for _ in range(2):
        assert call("convert", corpus, tmp_path / "d", "--to", "datasets", "--overwrite").code == 0


def test_predictions_become_pre_annotations(tmp_path: Path) -> None:
    make_corpus.main([str(tmp_path), "--train", "120", "--dev", "30", "--test", "1"])
    train = tmp_path / "train.conll"
    write_encoder(tmp_path / "encoder", train.read_text("utf-8").splitlines(), positions=64)
    model = tmp_path / "model"
    learned = call(
        "train",
        train,
        "--dev",
        tmp_path / "dev.conll",
        "-o",
        model,
        "--encoder",
        tmp_path / "encoder",
        *LEARN,
    )
    assert learned.code == 0, learned
    texts = [" ".join(line.split()[0] for line in part.splitlines()) for part in train.read_text("utf-8").split("\n\n")]
    texts = [text for text in texts if text][:40]
    (tmp_path / "in.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    result = call("convert", tmp_path / "in.txt", tmp_path / "out.json", "--predictions-of", model)
    assert result.code == 0, result
    quiet(result)
    assert '<Labels name="label" toName="text"><Label value=' in result.err
    tasks = json.loads((tmp_path / "out.json").read_text("utf-8"))
    tagger = load(model)
    assert isinstance(tagger, Tagger)
    documents = tagger(texts)
    assert [task["data"]["text"] for task in tasks] == texts
    assert sum(len(document.entities) for document in documents) > 10
    for task, document in zip(tasks, documents, strict=True):
        (prediction,) = task["predictions"]
        assert "annotations" not in task
        assert prediction["model_version"] == "model"
        found = [
            (each["value"]["start"], each["value"]["end"], each["value"]["labels"], each["value"]["text"])
            for each in prediction["result"]
        ]
        assert found == [(each.start, each.end, [each.label], each.text) for each in document.entities]
        scores = [each["score"] for each in prediction["result"]]
        assert scores == pytest.approx([each.score for each in document.entities], abs=1e-5)

    again = call("convert", tmp_path / "out.json", tmp_path / "more.json", "--predictions-of", model)
    assert again.code == 0, again
    assert [task["data"] for task in json.loads((tmp_path / "more.json").read_text("utf-8"))] == [
        task["data"] for task in tasks
    ]
    refused(call("convert", tmp_path / "out.json", tmp_path / "x.conll"), "none of its 40 tasks is annotated")
    missing = call("convert", tmp_path / "in.txt", tmp_path / "x.conll", "--predictions-of", model, "--to", "conll")
    refused(missing, "--predictions-of writes Label Studio's tasks")


def test_without_the_extra_it_says_what_to_type(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in ("spacy.tokens", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    refused(call("convert", corpus, tmp_path / "out.spacy"), "spaCy", 'pip install "tagline[spacy]"')
    refused(call("convert", corpus, tmp_path / "d", "--to", "datasets"), 'pip install "tagline[parquet]"')
    assert [path.name for path in tmp_path.iterdir()] == ["in.conll"]
