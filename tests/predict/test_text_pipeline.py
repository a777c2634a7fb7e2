"""`tagline.pipeline("text-classification", …)` held against `transformers.pipeline` on the same folders, in float32."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.families import FAMILIES, POSITIONS
from tests.predict.conftest import TextFolders
from tests.predict.tiny_texts import HEADS, LINES

import tagline
from tagline.errors import FolderError, UsageError
from tagline.folder import TEXT_CLASSIFICATION, Manifest, seal
from tagline.predict import chunks
from tagline.predict.text_pipeline import TextClassificationPipeline
from tagline.records import Problem

TEXTS = [
    *(line[:60] for line in LINES),
    "",
    " ",
    "\n\t ",
    "Oslo",
    "naïve Zürich a\u0301e\u0301 Å ﬁne ½ ﷺ",
    "日本の東京 and 北京市, Москва",
    "emoji 👩‍👩‍👧 end 🇩🇪x",
    "zero\u200bwidth\ufeffmark nul\x00",
    "[SEP] <unk> </s> [MASK] [CLS]inside",
    "tab\tseparated\r\nlines\u00a0nbsp\u3000wide",
]
PAIRS = [
    {"text": "Maria Novak moved to Oslo", "text_pair": "Okafor scored twice"},
    {"text": "", "text_pair": "Oslo"},
    {"text": "Oslo", "text_pair": ""},
    {"text": "日本", "text_pair": "shares fell by 10,000 points in an hour"},
]
TOLERANCE = 1e-5

Pipeline = TextClassificationPipeline[Any]
Opened = tuple[Any, dict[str, Pipeline]]
Open = Callable[[str, str], Opened]


def assert_same(ours: Any, theirs: Any) -> None:
    """Same shape, labels and order; scores to 1e-5; ours are plain Python values."""
    assert type(ours) is type(theirs), f"{ours}\n{theirs}"
    if isinstance(ours, list):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert_same(mine, other)
        return
    assert list(ours) == list(theirs) == ["label", "score"]
    assert ours["label"] == theirs["label"], f"{ours}\n{theirs}"
    assert ours["score"] == pytest.approx(theirs["score"], rel=TOLERANCE, abs=TOLERANCE)
    assert type(ours["score"]) is float


@pytest.fixture(scope="module")
def opened(text_folders: TextFolders) -> Open:
    """Theirs and ours by family and head; both engines where the folder has a graph, else torch on a plain folder."""
    import transformers

    known: dict[tuple[str, str], Opened] = {}

    def get(family: str, head: str) -> Opened:
        key = (family, head)
        if key not in known:
            graph = head == "five" or family == "bert-cased"
            folder = text_folders(family, head, graph)
            theirs: Any = transformers.pipeline("text-classification", model=str(folder), device="cpu")
            ours: dict[str, Pipeline] = {
                name: tagline.pipeline("text-classification", folder, engine=name, precision="f32", threads=1)
                for name in (("openvino", "torch") if graph else ("auto",))
            }
            known[key] = theirs, ours
        return known[key]

    return get


def fits(theirs: Any, *texts: str) -> bool:
    return len(theirs.tokenizer(*texts)["input_ids"]) <= POSITIONS


def crossed() -> Iterator[Any]:
    """Every family with two heads, and one family with all; the rest of the product is slow."""
    heads = ("two", "five", "several", "number", "one")
    for number, family in enumerate(FAMILIES):
        for head in heads:
            quick = family == "bert-cased" or head in ("two", heads[1 + number % 4])
            yield pytest.param(family, head, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("family", "head"), list(crossed()))
def test_every_family_and_head_gives_what_transformers_gives(opened: Open, family: str, head: str) -> None:
    theirs, ours = opened(family, head)
    texts = [text for text in TEXTS if fits(theirs, text)]
    assert len(texts) > 0.8 * len(TEXTS)
    inputs: list[Any] = [*texts, *PAIRS]
    all_labels = theirs(inputs, top_k=None)
    for pipe in ours.values():
        assert_same(pipe(inputs, top_k=None), all_labels)
        assert_same(pipe(inputs), theirs(inputs))
        assert_same(list(pipe.stream(iter(inputs), top_k=2)), [answer[:2] for answer in all_labels])
    best = {answer[0]["label"] for answer in all_labels}
    scores = {round(answer[0]["score"], 4) for answer in all_labels}
    assert len(scores) > len(inputs) / 2
    assert len(best) > 1 or len(HEADS[head].labels) == 1


@pytest.mark.parametrize("head", ["two", "five", "several", "number", "one"])
@pytest.mark.parametrize("top_k", ["left away", None, 1, 2, 100])
def test_the_shape_of_answers(opened: Open, text_folders: TextFolders, head: str, top_k: Any) -> None:
    import transformers

    theirs, ours = opened("bert-cased", head)
    text, pair = TEXTS[0], PAIRS[0]
    forms: list[Any] = [text, [text], [text, TEXTS[1]], pair, [pair], PAIRS, [[["Oslo", "Peru"]]], [text, pair]]
    given: dict[str, Any] = {} if top_k == "left away" else {"top_k": top_k}
    for form in forms:
        assert_same(ours["openvino"](form, **given), theirs(form, **given))
    # Given when it is made it weighs otherwise: the answer to a text is then put into a list once more.
    folder = text_folders("bert-cased", head, True)
    made: Any = transformers.pipeline("text-classification", model=str(folder), device="cpu", **given)
    pipe: Pipeline = tagline.pipeline("text-classification", folder, precision="f32", **given)
    for form in forms:
        assert_same(pipe(form), made(form))
        assert_same(pipe(form, top_k=2), made(form, top_k=2))


@pytest.mark.parametrize("head", ["two", "several", "number", "one"])
@pytest.mark.parametrize("function", ["sigmoid", "softmax", "none", "SoftMax", None])
def test_functions(opened: Open, text_folders: TextFolders, head: str, function: str | None) -> None:
    import transformers

    theirs, ours = opened("bert-cased", head)
    texts = TEXTS[:4]
    expected = theirs(texts, top_k=None, function_to_apply=function)
    assert_same(ours["openvino"](texts, top_k=None, function_to_apply=function), expected)
    folder = text_folders("bert-cased", head, True)
    made: Any = transformers.pipeline(
        "text-classification", model=str(folder), device="cpu", function_to_apply=function
    )
    pipe = tagline.pipeline("sentiment-analysis", folder, precision="f32", function_to_apply=function)
    assert_same(pipe(texts), made(texts))
    assert_same(pipe(texts, function_to_apply=None), made(texts, function_to_apply=None))
    assert pipe(texts, function_to_apply="default") == ours["openvino"](texts)


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    pair=st.none() | st.text("aé日 \n.", max_size=9),
)
@pytest.mark.parametrize("family", ["bert-uncased", "xlm-roberta"])
def test_any_text_gives_what_transformers_gives(opened: Open, family: str, text: str, pair: str | None) -> None:
    theirs, ours = opened(family, "five")
    given = {"text": text} if pair is None else {"text": text, "text_pair": pair}
    if fits(theirs, *given.values()):
        assert_same(ours["openvino"](given, top_k=None), theirs(given, top_k=None))


def test_lone_surrogates_are_read_as_the_replacement_character(opened: Open) -> None:
    _, ours = opened("bert-cased", "five")
    pipe = ours["openvino"]
    assert pipe("Oslo \ud800 x\udfff", top_k=None) == pipe("Oslo \ufffd x\ufffd", top_k=None)
    pair = {"text": "\ud800", "text_pair": "Oslo"}
    assert pipe(["Oslo", pair]) == pipe(["Oslo", {"text": "\ufffd", "text_pair": "Oslo"}])


@pytest.mark.parametrize("length", [16, 17, 40])
@pytest.mark.parametrize("family", ["bert-cased", "roberta"])
def test_pairs_are_shortened_as_transformers_truncates_them(opened: Open, family: str, length: int) -> None:
    theirs, ours = opened(family, "five")
    words = " ".join(LINES).split()
    pairs = [
        {"text": " ".join(words[:first]), "text_pair": " ".join(words[40 : 40 + second])}
        for first in (1, 2, 3, 4, 5, 6, 9, 30)
        for second in (1, 2, 3, 4, 5, 6, 9, 30)
    ]
    asked: dict[str, Any] = {"truncation": True, "max_length": length}
    expected = theirs(pairs, top_k=None, **asked)
    for pipe in ours.values():
        assert_same(pipe(pairs, top_k=None, **asked), expected)
    assert len({answer[0]["score"] for answer in expected}) > 5


def test_a_shortened_pair_is_said_unless_it_was_asked_for(opened: Open) -> None:
    _, ours = opened("bert-cased", "five")
    pipe = ours["openvino"]
    pair = {"text": "a", "text_pair": "a " * 80}
    said = f"a pair of texts is {1 + 80 - (POSITIONS - 3)} sub-tokens too long"
    with pytest.warns(UserWarning, match=said) as caught:
        answers = pipe([pair, pair])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    for asked in (True, "longest_first"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert pipe([pair, pair], truncation=asked) == answers


def by_hand(pipe: Pipeline, text: str, window: int, how: str = "mean") -> list[float]:
    """Logits of the whole text by transformers alone, after a look at the windows: slices that leave nothing out."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(pipe.folder.path)
    model = AutoModelForSequenceClassification.from_pretrained(pipe.folder.path).eval()
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    (sequence,) = pipe.classifier.encoder_for(window)([(text, None)])
    assert len(sequence.windows) > 4
    read, logits = 0, []
    for each in sequence.windows:
        assert len(each.ids) <= window
        first, *inner, last = each.ids.tolist()
        assert (first, last) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        starts = [
            start for start in range(max(0, read - window // 8), read + 1) if ids[start : start + len(inner)] == inner
        ]
        assert starts, "a gap, or more shared than the overlap"
        read = starts[-1] + len(inner)
        with torch.no_grad():
            logits.append(model(input_ids=torch.tensor([each.ids.tolist()])).logits[0].numpy())
    assert read == len(ids)
    stacked = np.stack(logits)
    pooled: list[float] = (stacked.mean(0) if how == "mean" else stacked.max(0)).tolist()
    return pooled


LONG = " ".join([*LINES, *reversed(LINES), "".join(map(str, range(200)))])  # and one word of several windows


@pytest.mark.parametrize("max_length", [None, 20, POSITIONS, 512])
@pytest.mark.parametrize("family", ["bert-cased", "roberta", "distilbert"])
def test_long_texts_are_read_in_windows_and_pooled(opened: Open, family: str, max_length: int | None) -> None:
    theirs, ours = opened(family, "five")
    logits = by_hand(ours["torch"], LONG, min(max_length or POSITIONS, POSITIONS))
    expected = {theirs.model.config.id2label[place]: score for place, score in enumerate(logits)}
    for pipe in ours.values():
        found = pipe(LONG, top_k=None, function_to_apply="none", max_length=max_length, truncation=True)
        assert {each["label"]: each["score"] for each in found} == pytest.approx(expected, abs=TOLERANCE)
    ends = [ours["torch"](f"{LONG} {word * 200}", top_k=None, function_to_apply="none") for word in ("b ", "z ")]
    one, other = ({each["label"]: each["score"] for each in end} for end in ends)
    assert max(abs(one[label] - other[label]) for label in one) > 1e-4  # the end of a long text counts


def test_the_pooling_of_the_folder_is_followed(text_folders: TextFolders, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(text_folders("bert-cased", "five", True), folder)
    manifest = Manifest(
        task=TEXT_CLASSIFICATION, window=24, overlap=3, problem=Problem.SINGLE, paired=False, pooling="max"
    )
    seal(folder, manifest)
    pipe = tagline.pipeline("sequence-classification", folder, precision="f32", top_k=None, function_to_apply="none")
    logits = by_hand(pipe, LONG, 24, "max")
    (found,) = pipe(LONG)
    assert [each["score"] for each in found] == pytest.approx(sorted(logits, reverse=True), abs=TOLERANCE)
    # Windows of a model of ours grow no further than those of its training.
    assert pipe(LONG, max_length=POSITIONS, top_k=None) == found
    with pytest.raises(UsageError, match="input 1: this model reads single texts and got a pair"):
        pipe(["Oslo", PAIRS[0]])


def test_a_model_of_pairs_keeps_an_empty_second_text(text_folders: TextFolders, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(text_folders("bert-cased", "five", True), folder)
    plain: Pipeline = tagline.pipeline("text-classification", folder, precision="f32")
    manifest = Manifest(task=TEXT_CLASSIFICATION, window=POSITIONS, overlap=8, problem=Problem.SINGLE, paired=True)
    seal(folder, manifest)
    pipe: Pipeline = tagline.pipeline("text-classification", folder, precision="f32")
    empty = {"text": "Oslo", "text_pair": ""}
    assert plain(empty, top_k=None) == plain("Oslo", top_k=None) != pipe(empty, top_k=None)
    with pytest.raises(UsageError, match="this model reads pairs of texts and got a single text"):
        pipe("Oslo")


def test_a_tokenizer_told_to_give_no_segment_ids_gives_none(text_folders: TextFolders, tmp_path: Path) -> None:
    import transformers

    folder = tmp_path / "model"
    shutil.copytree(text_folders("bert-cased", "five", True), folder)
    with_segments: Pipeline = tagline.pipeline("text-classification", folder, precision="f32")
    values = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    values["model_input_names"] = ["input_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(values), encoding="utf-8")
    theirs: Any = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    ours: Pipeline = tagline.pipeline("text-classification", folder, precision="f32")
    assert_same(ours(PAIRS, top_k=None), theirs(PAIRS, top_k=None))
    assert with_segments(PAIRS, top_k=None) != ours(PAIRS, top_k=None)


def test_streaming_takes_texts_as_they_are_needed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ours = opened("bert-cased", "five")
    pipe = ours["openvino"]
    monkeypatch.setattr(chunks, "POOL_TOKENS", 300)
    taken = 0

    def texts() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield TEXTS[taken % len(TEXTS)]

    stream = pipe.stream(texts())
    assert taken == 0
    answers = [next(stream) for _ in range(50)]
    assert taken < 2000
    del stream
    assert_same(answers, [pipe([TEXTS[number % len(TEXTS)]])[0] for number in range(1, 51)])
    assert pipe([]) == list(pipe.stream([])) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"top_k": 0}, "top_k is 0; expected a number from 1, or None for all labels"),
        ({"top_k": "all"}, "top_k is 'all'; expected a number from 1"),
        ({"top_k": True}, "top_k is True; expected a number from 1"),
        ({"function_to_apply": "tanh"}, "function_to_apply is 'tanh'; accepted are default, sigmoid, softmax, none"),
        ({"batch_size": 0}, "batch_size is 0; expected at least 1"),
        ({"max_length": 4}, "max_length is 4; expected at least 5, special tokens included"),
        ({"max_length": "long"}, "max_length is 'long'; expected a number of sub-tokens, or None"),
        ({"truncation": "only_first"}, "truncation is 'only_first'; accepted are True, False, longest_first"),
        ({"padding": "left"}, "padding is 'left'; accepted are True, False, longest, max_length, do_not_pad"),
        ({"stride": 3}, "got unknown options stride; accepted are top_k, function_to_apply, batch_size, truncation"),
        ({"aggregation_strategy": "max"}, "got unknown options aggregation_strategy; accepted are top_k"),
        ({"return_all_scores": True}, "got unknown options return_all_scores; accepted are top_k"),
    ],
)
def test_bad_options_are_refused(opened: Open, text_folders: TextFolders, options: dict[str, Any], said: str) -> None:
    _, ours = opened("bert-cased", "five")
    for call in (ours["openvino"].stream, ours["openvino"]):
        with pytest.raises(UsageError) as caught:
            call(["text"], **options)
        assert said in str(caught.value)
    folder = text_folders("bert-cased", "five", True)
    with pytest.raises(UsageError) as caught:
        tagline.pipeline("text-classification", folder, **options)("text")
    assert said in str(caught.value)


@pytest.mark.parametrize("padding", [True, False, "longest", "max_length", "do_not_pad"])
@pytest.mark.parametrize("truncation", [None, False, True, "longest_first", "do_not_truncate"])
def test_what_users_of_transformers_pass_is_accepted(opened: Open, truncation: Any, padding: Any) -> None:
    theirs, ours = opened("bert-cased", "five")
    options: dict[str, Any] = {"truncation": truncation, "padding": padding, "max_length": POSITIONS, "batch_size": 2}
    assert_same(ours["openvino"](TEXTS[:2], **options), theirs(TEXTS[:2]))  # theirs fails at some of these


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (3, "got int; expected a text (str), {"),
        (None, "got NoneType; expected a text"),
        (b"bytes", "got bytes; expected a text"),
        (("first", "second"), "got a tuple of two texts; give a list for two single texts, or {"),
        ([("first", "second")], 'input 0 is of type tuple; expected a text (str), {"text": "first", "text_pair"'),
        (["good", ["first", "second"]], "input 1 is of type list; expected a text (str), {"),
        ([[["a", "b", "c"]]], "input 0 is of type list"),
        ([[["a", 3]]], "input 0: got tuple; expected a text"),
        (["good", 3], "input 1: got int; expected a text (str)"),
        ({"text_pair": "second"}, "got a mapping of text_pair: str; expected"),
        ({"text": "a", "label": "b"}, "got a mapping of text: str, label: str; expected"),
        ([{"text": "a", "text_pair": 3}], "input 0: got a mapping of text: str, text_pair: int; expected"),
        ({}, "got a mapping of nothing; expected"),
    ],
)
def test_bad_input_is_refused(opened: Open, inputs: Any, said: str) -> None:
    _, ours = opened("bert-cased", "five")
    with pytest.raises(UsageError) as caught:
        ours["openvino"](inputs)
    assert said in str(caught.value)


def test_a_text_is_no_stream(opened: Open) -> None:
    _, ours = opened("bert-cased", "five")
    for one in ("letters", {"text": "a"}):
        with pytest.raises(UsageError, match=f"got {type(one).__name__}; expected"):
            ours["openvino"].stream(one)


def test_folders_for_another_task_are_refused(text_folders: TextFolders, tmp_path: Path) -> None:
    folder = text_folders("bert-cased", "five", True)
    with pytest.raises(FolderError, match="a model for text-classification; expected one for token-classification"):
        tagline.pipeline("ner", folder)
    tokens = tmp_path / "tokens"
    shutil.copytree(folder, tokens)
    config = json.loads((tokens / "config.json").read_text(encoding="utf-8"))
    config["architectures"] = ["BertForTokenClassification"]
    (tokens / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(FolderError, match="a model for token-classification; expected one for text-classification"):
        tagline.pipeline("text-classification", tokens)
