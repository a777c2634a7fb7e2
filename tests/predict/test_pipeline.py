"""`tagline.pipeline` held against `transformers.pipeline`, on the same folders, for all five strategies.

Two computations of one model differ in their last digits, and a random head gives near ties: answers are compared where
the two best candidates of every choice that was made are at least `MARGIN` apart, which nearly all texts are.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.families import POSITIONS, TEXT, config_of, tokenizer_of

import tagline
from tagline.data.corpus import read_corpus
from tagline.errors import FolderError, UsageError
from tagline.folder import Manifest, ModelFolder, seal
from tagline.predict import Tagger, chunks
from tagline.predict.grouping import STRATEGIES
from tagline.predict.raw import RawEncoder, Source
from tagline.predict.token_pipeline import TokenClassificationPipeline
from tagline.text.shapes import shape_ids

# The tokenizer of transformers says so of every vocabulary without a mark for continuations.
pytestmark = pytest.mark.filterwarnings("ignore:Tokenizer does not support real words:UserWarning")

MARGIN = 1e-5
PREFIXED = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
BARE = ("O", "person", "place", "thing")
IOBES = ("O", "B-PER", "I-PER", "E-PER", "S-PER")
MODELS = {
    "bert-uncased": PREFIXED,
    "bert-cased": PREFIXED,
    "roberta": PREFIXED,
    "xlm-roberta": PREFIXED,
    "albert": PREFIXED,
    "bert-cased bare": BARE,
    "xlm-roberta bare": BARE,
    "roberta iobes": IOBES,
}
NASTY = [
    "",
    " ",
    "\n\t ",
    "John",
    "  Maria   Novak  moved,from Lisbon;to(Oslo)in 1996!!! ",
    "U.S.-led talks don't end; O'Brien's AT&T e-mail: info@example.com :)",
    "naïve Zürich a\u0301e\u0301 Å Ångström ﬁne ½ ﷺ",
    "日本の東京 and 北京市, Москва שלום",
    "emoji 👩‍👩‍👧‍👦🏽 end 🇩🇪x",
    "zero\u200bwidth\u200djoin\ufeffmark soft\u00adhyphen",
    "nul\x00inside \x07 bell \ufffd",
    "[SEP] [UNK] <unk> </s> <s> [MASK] <mask> [CLS]inside[PAD]",
    "tab\tseparated\r\nlines\u00a0nbsp\u3000wide",
    "supercalifragilisticexpialidocious",
    "x.y.z...!?!? --- ''' \"\" `` ##ing ##",
    "▁metaspace Ġbyte Ċ Ã©",
]

Answers = list[dict[str, Any]]
Pipelines = Callable[[str], tuple["Theirs", dict[str, TokenClassificationPipeline]]]


class Theirs:
    """The pipeline of transformers; one forward pass a text serves all strategies, as its own parts are called."""

    def __init__(self, folder: Path) -> None:
        import transformers

        opened = transformers.pipeline("token-classification", model=str(folder), device="cpu")
        self.pipeline: Any = opened
        self._seen: list[list[dict[str, Any]]] = []
        self._outputs: dict[str, Any] = {}
        aggregate = opened.aggregate

        def watched(pre_entities: list[dict[str, Any]], strategy: Any) -> Any:
            self._seen.append(pre_entities)
            return aggregate(pre_entities, strategy)

        vars(opened)["aggregate"] = watched

    def __call__(self, text: str, ignored: Sequence[str]) -> dict[str, Answers]:
        """Answers by strategy; strategies whose choices are too close to call, and texts that are cut, are left out."""
        from transformers.pipelines.token_classification import AggregationStrategy

        if text not in self._outputs:
            (inputs,) = self.pipeline.preprocess(text, is_split_into_words=False)
            cut = inputs["input_ids"].shape[1] >= self.pipeline.tokenizer.model_max_length
            self._outputs[text] = None if cut else self.pipeline.forward(inputs)
        output, found = self._outputs[text], {}
        if output is None:
            return {}
        for name in STRATEGIES:
            self._seen.clear()
            answers = self.pipeline.postprocess([output], AggregationStrategy(name), list(ignored))
            if _margin(self._seen[0], name) > MARGIN:
                found[name] = answers
        return found


def _margin(pieces: list[dict[str, Any]], strategy: str) -> float:
    """How far apart the candidates of the closest choice are."""
    if not pieces:
        return 1.0
    words: list[list[Any]] = []
    for piece in pieces:
        if not words or not piece["is_subword"]:
            words.append([])
        words[-1].append(piece["scores"])
    rows = [piece["scores"] for piece in pieces]
    if strategy == "average":
        rows = [np.mean(word, axis=0) for word in words]
    margins = [np.diff(np.sort(row)[-2:])[0] for row in rows]
    if strategy == "max":
        tops = [sorted((float(row.max()) for row in word), reverse=True) for word in words]
        margins += [top[0] - top[1] for top in tops if len(top) > 1]
    return float(min(margins))


def assert_same(ours: Answers, theirs: Answers) -> None:
    """Everything but the score is equal, its keys in order; scores to 1e-4; ours are plain Python values."""
    assert len(ours) == len(theirs), f"{ours}\n{theirs}"
    for mine, other in zip(ours, theirs, strict=True):
        assert list(mine) == list(other)
        assert {k: v for k, v in mine.items() if k != "score"} == {k: v for k, v in other.items() if k != "score"}
        assert mine["score"] == pytest.approx(float(other["score"]), abs=1e-4)
        assert {type(value) for value in mine.values()} == {str, float, int}


EVERYTHING: tuple[str, ...] = ()
IGNORED = (EVERYTHING, ("O",))


def compare(
    theirs: Theirs,
    roads: Iterable[TokenClassificationPipeline],
    texts: Sequence[str],
    least: float,
    ignored: Sequence[tuple[str, ...]] = IGNORED,
) -> None:
    """Compares all strategies on all texts.

    Args:
        least: share of the comparisons that must be decisive.
        ignored: labels to leave out; by default each comparison is made with everything shown and as by default.
    """
    opened = list(roads)
    decisive = 0
    for labels in ignored:
        answers = {
            (number, name): road(texts, aggregation_strategy=name, ignore_labels=labels)
            for number, road in enumerate(opened)
            for name in STRATEGIES
        }
        for place, text in enumerate(texts):
            for name, expected in theirs(text, labels).items():
                decisive += 1
                for number in range(len(opened)):
                    assert_same(answers[number, name][place], expected)
    assert decisive >= least * len(texts) * len(ignored) * len(STRATEGIES)


def save(model: Any, tokenizer: Any, folder: Path, graph: bool = True) -> Path:
    """A Hugging Face folder, with the OpenVINO graph or plain."""
    from tagline.publish.graph import write_graph

    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if graph:
        write_graph(model.eval(), folder)
    return folder


def tiny(family: str, labels: Sequence[str], folder: Path, graph: bool = True) -> Path:
    """A random model whose answers change from sub-token to sub-token."""
    import torch
    from transformers import AutoModelForTokenClassification

    tokenizer = tokenizer_of(family)
    tokenizer.model_max_length = POSITIONS
    config = config_of(family, tokenizer)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    torch.manual_seed(3)
    model = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
        lines = [line[:40] for line in TEXT.splitlines() if line]
        inputs = tokenizer(lines, padding=True, truncation=True, return_tensors="pt")
        # No label may win everywhere.
        logits = model.eval()(**inputs).logits[inputs["attention_mask"].bool()]
        model.get_parameter("classifier.bias").sub_(logits.mean(0))
    return save(model, tokenizer, folder, graph)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model, made once."""
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            made[name] = tiny(name.split()[0], MODELS[name], tmp_path_factory.mktemp("model") / name.replace(" ", "-"))
        return made[name]

    return get


@pytest.fixture(scope="module")
def pipelines(folders: Callable[[str], Path]) -> Pipelines:
    """Theirs and ours, on both roads, opened once."""
    opened: dict[str, tuple[Theirs, dict[str, TokenClassificationPipeline]]] = {}

    def get(name: str) -> tuple[Theirs, dict[str, TokenClassificationPipeline]]:
        if name not in opened:
            folder = folders(name)
            ours = {
                engine: tagline.pipeline("ner", folder, engine=engine, precision="f32", device="cpu", threads=1)
                for engine in ("openvino", "torch")
            }
            opened[name] = Theirs(folder), ours
        return opened[name]

    return get


@pytest.mark.parametrize("name", MODELS)
def test_nasty_texts_give_what_transformers_gives(pipelines: Pipelines, name: str) -> None:
    theirs, ours = pipelines(name)
    texts = [*NASTY, *(line[:40] for line in TEXT.splitlines())]
    compare(theirs, ours.values(), texts, 0.9)
    answers = ours["openvino"](texts, ignore_labels=())
    moves = {(one["entity"], two["entity"]) for each in answers for one, two in pairwise(each)}
    assert len(moves) > 0.8 * len(MODELS[name]) ** 2  # nearly every transition was met


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_public_call_gives_what_the_public_call_of_transformers_gives(
    folders: Callable[[str], Path], strategy: str
) -> None:
    import transformers

    folder = folders("bert-cased")
    theirs: Any = transformers.pipeline(
        "token-classification", model=str(folder), aggregation_strategy=strategy, device="cpu"
    )
    ours = tagline.pipeline(
        task="token-classification", model=folder, aggregation_strategy=strategy, precision="f32", batch_size=4
    )
    text = "Maria Novak moved from Lisbon to Oslo"
    assert_same(ours(text), theirs(text))
    for mine, other in zip(ours([text, "Oslo"]), theirs([text, "Oslo"]), strict=True):
        assert_same(mine, other)


characters = st.one_of(
    st.sampled_from("aAzZ019 .,'#@-_▁Ġéß\u0301\u200b\u200d\u00ad日本👩🏽🇩\x00\n\t\u00a0[]<>"),
    st.characters(exclude_categories=["Cs"]),
)


@pytest.mark.parametrize("name", ["bert-uncased", "bert-cased", "roberta", "xlm-roberta", "albert"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(characters, max_size=12))
def test_any_text_gives_what_transformers_gives(pipelines: Pipelines, name: str, text: str) -> None:
    theirs, ours = pipelines(name)
    compare(theirs, [ours["openvino"]], [text], 0)


@pytest.mark.parametrize("name", ["bert-cased", "roberta", "xlm-roberta"])
@pytest.mark.parametrize("delimiter", [" ", "", "::"])
def test_words_give_what_transformers_gives(pipelines: Pipelines, name: str, delimiter: str) -> None:
    theirs, ours = pipelines(name)
    texts = [["Maria", "Novak", "'s", "U.S.-led"], ["Zürich", "日本", "don't", "!!!"], ["Oslo"]]
    for strategy in STRATEGIES:
        options: Any = {"is_split_into_words": True, "delimiter": delimiter, "aggregation_strategy": strategy}
        for road in ours.values():
            expected = theirs.pipeline(texts, **options)
            for mine, other in zip(road(texts, **options), expected, strict=True):
                assert_same(mine, other)
    # For a single list of words they answer with a list of one, and so do we.
    assert ours["torch"](texts[2], is_split_into_words=True) == ours["torch"]([texts[2]], is_split_into_words=True)
    assert ours["torch"]([[], ["Oslo"]], is_split_into_words=True)[0] == []


def minilm(folder: Path) -> Path:
    import torch

    from tagline.models.encoders import load_for_tokens

    torch.manual_seed(5)
    loaded = load_for_tokens("minilm", PREFIXED, shapes=False)
    with torch.no_grad():
        torch.nn.init.normal_(loaded.model.get_parameter("classifier.weight"))
    return save(loaded.model, loaded.tokenizer, folder)


def conll_texts(data_dir: Path) -> list[str]:
    return [" ".join(each.words) for each in read_corpus(data_dir / "conll2003" / "test.txt").sentences]


def test_a_sample_of_conll_gives_what_transformers_gives(data_dir: Path, tmp_path: Path) -> None:
    folder = minilm(tmp_path / "model")
    roads = [
        tagline.pipeline("ner", folder, engine=name, precision="f32", device="cpu", threads=1)
        for name in ("openvino", "torch")
    ]
    compare(Theirs(folder), roads, random.Random(11).sample(conll_texts(data_dir), 150), 0.97, [EVERYTHING])


@pytest.mark.slow
def test_all_of_conll_gives_what_transformers_gives(data_dir: Path, tmp_path: Path) -> None:
    folder, texts = minilm(tmp_path / "model"), conll_texts(data_dir)
    assert len(texts) == 3453
    compare(Theirs(folder), [tagline.pipeline("ner", folder, precision="f32")], texts, 0.97, [EVERYTHING])


@pytest.fixture(scope="module")
def shaped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Tagline with word shapes."""
    import torch
    from transformers import AutoModel

    from tagline.models.encoders import load_for_tokens

    base = tmp_path_factory.mktemp("shaped")
    tokenizer = tokenizer_of("bert-uncased")
    torch.manual_seed(4)
    encoder: Any = AutoModel.from_config(config_of("bert-uncased", tokenizer))  # type: ignore[no-untyped-call]
    encoder.save_pretrained(base / "encoder")
    tokenizer.save_pretrained(base / "encoder")
    loaded = load_for_tokens(str(base / "encoder"), PREFIXED, shapes=True)
    with torch.no_grad():
        for parameter in loaded.model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
        torch.nn.init.normal_(loaded.model.get_parameter("bert.embeddings.token_type_embeddings.weight"), std=0.5)
    folder = save(loaded.model, loaded.tokenizer, base / "model")
    seal(folder, Manifest(window=POSITIONS, overlap=15, shapes=True, version="test"))
    return folder


def test_shapes_are_those_of_the_words(shaped: Path) -> None:
    """Against the rule in its plainest form: the word at a sub-token's first character, found by looking at each."""
    encoder = RawEncoder(ModelFolder.open(shaped))
    text = "NATO visited Oslo in 1996, iPhone O'Brien's U.S. x"
    words = ["NATO", "visited", "Oslo", "in", "1996", ",", "iPhone", "O'Brien", "'s", "U.S.", "x"]
    owner: dict[int, int] = {}
    at = 0
    for number, word in enumerate(words):
        at = text.index(word, at)
        owner.update((at + step, number) for step in range(len(word)))
        at += len(word)
    (raw,) = encoder([Source(text)])
    (window,) = raw.windows
    expected, seen = [], set()
    for start in raw.offsets[:, 0].tolist():
        expected.append(shape_ids(words[owner[start]])[owner[start] in seen])
        seen.add(owner[start])
    assert window.types == [0, *expected, 0]
    assert len(set(expected)) > 8
    (split,) = encoder([Source.join(words, " ")])
    assert split.windows[0].types[1:-1] == [shape_ids(words[o])[n] for o, n in _placed(encoder, words)]


def _placed(encoder: RawEncoder, words: list[str]) -> Iterator[tuple[int, int]]:
    for number, word in enumerate(words):
        count = len(encoder.tokenizer.encode(word, add_special_tokens=False).ids)
        yield from ((number, min(step, 1)) for step in range(count))


def test_a_model_with_shapes_answers_as_the_tagger_does_and_not_as_transformers(shaped: Path) -> None:
    text = "NATO visited Maria Novak in Oslo , 1996"
    ours = tagline.pipeline("ner", shaped, precision="f32", aggregation_strategy="first", ignore_labels=[])
    tagger = Tagger(ours.folder, ours.engine, constrained=False)
    document = tagger(text)
    answers = ours(text, aggregation_strategy="none")
    firsts = {each["start"]: (each["entity"], each["score"]) for each in answers}
    for (start, _), tag, score in zip(document.offsets, document.tags, document.scores, strict=True):
        assert firsts[start] == (tag, pytest.approx(score, abs=1e-5))
    theirs = Theirs(shaped)(text, ())["none"]
    differing = max(abs(float(other["score"]) - mine["score"]) for mine, other in zip(answers, theirs, strict=True))
    assert differing > 1e-3


def brute(folder: Path, windows: Iterable[Any], start: int) -> list[tuple[int, str, float]]:
    """(index, label, score) of what each window scores, each window alone through transformers' model."""
    import torch
    from transformers import AutoModelForTokenClassification

    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    found: list[tuple[int, str, float]] = []
    for window in windows:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([window.ids])).logits[0].softmax(-1)
        for row in logits[window.skip : window.skip + window.scored]:
            found.append((start + len(found), model.config.id2label[int(row.argmax())], float(row.max())))
    return found


@pytest.mark.parametrize("stride", [None, 0, 40])
@pytest.mark.parametrize("name", ["bert-cased", "roberta", "xlm-roberta"])
def test_long_texts_are_read_whole(pipelines: Pipelines, name: str, stride: int | None) -> None:
    _, ours = pipelines(name)
    road = ours["openvino"]
    text = " ".join(TEXT.split()) + " " + "unbroken" * 30
    encoder = RawEncoder(road.folder)
    (raw,) = encoder([Source(text)], stride)
    whole = encoder.tokenizer.encode(text, add_special_tokens=False)
    assert len(whole.ids) > 4 * POSITIONS
    at = end = 0
    for window in raw.windows:
        assert len(window.ids) <= POSITIONS
        first = at - (window.skip - 1)  # where in the text the window begins
        assert window.ids[1:-1] == whole.ids[first : first + len(window.ids) - 2]
        assert stride is None or end - first <= stride
        end = first + len(window.ids) - 2
        at += window.scored
    assert at == len(whole.ids)
    answers = road(text, stride=stride, ignore_labels=[])
    assert [(each["start"], each["end"]) for each in answers] == whole.offsets
    for each, (index, label, score) in zip(answers, brute(road.folder.path, raw.windows, 1), strict=True):
        assert each["index"] == index
        assert each["score"] == pytest.approx(score, abs=1e-4)
        assert each["entity"] == label or score < 0.5 + 1e-4


def test_order_is_kept_through_batches_and_chunks(pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ours = pipelines("bert-cased")
    road = ours["openvino"]
    words = TEXT.split()
    chance = random.Random(2)
    texts = [" ".join(chance.choices(words, k=chance.choice([0, 0, 1, 3, 9, 60]))) for _ in range(150)]
    alone = [road(text) for text in texts]
    together = road(texts)
    monkeypatch.setattr(chunks, "POOL_TOKENS", 70)
    small = list(road.stream(iter(["", "", *texts, ""])))
    assert small[:2] == [[], []]
    assert small[-1] == []
    for answers in (together, small[2:-1]):
        assert len(answers) == len(texts)
        for mine, other in zip(answers, alone, strict=True):
            assert_same(mine, other)
    assert road(texts, aggregation_strategy="simple") != together
    assert list(road.stream([])) == road([]) == []
    assert list(road.stream(["", " "])) == [[], []]


def test_streaming_takes_texts_as_they_are_needed(pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "POOL_TOKENS", 70)
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "Maria Novak moved from Lisbon to Oslo " * 20

    _, ours = pipelines("bert-cased")
    stream = ours["openvino"].stream(endless())
    assert next(stream)
    assert taken < 300
    del stream
    assert ours["openvino"]("Oslo", ignore_labels=[])  # the engine is free again


def test_lone_surrogates_keep_the_offsets(pipelines: Pipelines) -> None:
    _, ours = pipelines("bert-cased")
    broken = ours["openvino"]("Maria \ud800 Novak", ignore_labels=[])
    assert [each["end"] for each in broken] == [
        each["end"] for each in ours["openvino"]("Maria \ufffd Novak", ignore_labels=[])
    ]
    split = ours["openvino"](["Maria", "\ud800"], is_split_into_words=True, ignore_labels=[])
    assert split[0][0]["start"] == 0


def test_labels_without_prefixes_keep_their_hyphens(tmp_path: Path) -> None:
    labels = ("work-of-art", "B-cell", "T-cell")
    folder = tiny("bert-cased", labels, tmp_path / "model")
    words = TEXT.split()[:40]

    def groups() -> set[str]:
        ours = tagline.pipeline("ner", folder, aggregation_strategy="simple", precision="f32")
        return {each["entity_group"] for answers in ours(words) for each in answers}

    assert groups() == {"work-of-art", "cell", "T-cell"}  # a folder from elsewhere: B- is taken for a prefix
    theirs = Theirs(folder)
    assert {each["entity_group"] for word in words for each in theirs(word, ())["simple"]} == {"of-art", "cell"}
    seal(folder, Manifest(bare=True, window=POSITIONS, overlap=15))
    assert groups() == set(labels)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "fill-mask"}, "task is 'fill-mask'; accepted are token-classification, ner, text-classification"),
        ({"aggregation_strategy": "last"}, "'last'; accepted are none, simple, first, average, max"),
        ({"ignore_labels": "O"}, "ignore_labels is 'O'; expected a list of labels"),
        ({"stride": -1}, "stride is -1; expected 0 or more"),
        ({"batch_size": 0}, "batch_size is 0; expected at least 1"),
        ({"top_k": 3}, "pipeline got unknown options top_k; accepted are aggregation_strategy, ignore_labels"),
        ({"engine": "tensorrt"}, "'tensorrt'; accepted are auto, openvino, "),
    ],
)
def test_bad_options_are_refused(folders: Callable[[str], Path], options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        tagline.pipeline(**{"task": "ner", "model": folders("bert-cased"), **options})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "options", "said"),
    [
        (3, {}, "got int; expected a text (str) or several"),
        (b"bytes", {}, "got bytes; expected a text"),
        (None, {}, "got NoneType; expected a text"),
        (["good", 3], {}, "input 1 is of type int; expected a text (str) or several"),
        ([["Maria"]], {}, "input 0 is of type list; expected a text (str) or several (for words give is_split"),
        ("text", {"is_split_into_words": True}, "got str; expected a list of words (str) or several"),
        ([["Maria"], "Novak"], {"is_split_into_words": True}, "input 1 is of type str; expected a list of words"),
        (["text"], {"stride": 62}, "stride is 62; expected 0 to 61, less than the 62 sub-tokens of a window"),
        (["text"], {"threads": 2}, "a call of the pipeline got unknown options threads"),
    ],
)
def test_bad_input_is_refused(pipelines: Pipelines, inputs: Any, options: dict[str, Any], said: str) -> None:
    _, ours = pipelines("bert-cased")
    with pytest.raises(UsageError) as caught:
        ours["openvino"](inputs, **options)
    assert said in str(caught.value)


def test_folders_that_do_not_fit_are_refused(shaped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForSequenceClassification

    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(FolderError, match="does not exist"):
        tagline.pipeline("ner", tmp_path / "absent")
    folder = tmp_path / "other"
    tokenizer = tokenizer_of("bert-uncased")
    config = config_of("bert-uncased", tokenizer)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    with pytest.raises(FolderError, match="a model for text-classification; expected one for token-classification"):
        tagline.pipeline("ner", folder)
    for each in shaped.iterdir():
        (folder / each.name).write_bytes(each.read_bytes())
    (folder / "tokenizer_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(FolderError, match=r"tokenizer_config\.json: damaged"):
        tagline.pipeline("ner", folder)


def test_the_openvino_road_needs_neither_torch_nor_transformers(folders: Callable[[str], Path]) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "import tagline; assert 'pipeline' in dir(tagline) and 'numpy' not in sys.modules\n"
        "ner = tagline.pipeline('ner', sys.argv[1], precision='f32', ignore_labels=[])\n"
        "sys.stdout.write(' '.join(each['word'] for each in ner('Oslo')))"
    )
    command = [sys.executable, "-c", code, str(folders("bert-cased"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "src"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace(" ##", "") == "Oslo"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = tagline.nonsense  # type: ignore[attr-defined]
