"""From labelled texts to what the fit takes: labels, checks, weights, and the head before and after training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from tests.families import FAMILIES, Encoders
from tests.train.labelled import corpus, labelled, toy

from tagline.data.texts.corpus import TextCorpus
from tagline.errors import DataError, EncoderError, LabelError, UsageError
from tagline.models.encoders import last_layer, load_for_texts
from tagline.publish.graph import input_names
from tagline.records import LabelledText, Problem
from tagline.text.batches import pad
from tagline.train.class_weights import class_weights
from tagline.train.texts.examples import UNKNOWN
from tagline.train.texts.prepare import PreparedTexts, check_labels, label_set, prepare_texts
from tagline.train.texts.settings import TextSettings

MISS = TextSettings(unknown_tags="miss")


def several(*labels: tuple[str, ...], path: str = "train.tsv") -> TextCorpus:
    return corpus([LabelledText("text", labels=each) for each in labels], Problem.MULTI, path)


def numbers(*scores: float, path: str = "train.tsv") -> TextCorpus:
    texts = [LabelledText(f"text {place}", score=score) for place, score in enumerate(scores)]
    return corpus(texts, Problem.REGRESSION, path)


def logits(prepared: PreparedTexts, model: Any) -> torch.Tensor:
    """What the model says of each window of train."""
    windows = prepared.train.windows
    batch = pad([each.ids for each in windows], [each.types for each in windows], prepared.pad)
    model.train(False)
    with torch.no_grad():
        found: torch.Tensor = model(**{name: torch.from_numpy(getattr(batch, name)) for name in input_names(model)})[0]
    return found


def test_labels_stand_in_order() -> None:
    assert label_set(labelled("spam", "ham", "spam", "Ham")) == ("Ham", "ham", "spam")
    assert label_set(labelled("10", "9", "-1", "9")) == ("-1", "9", "10")
    assert label_set(several(("b", "a"), (), ("c",))) == ("a", "b", "c")
    assert label_set(several(("a",), ())) == ("a",)
    assert label_set(numbers(1.0, 2.0)) == ("score",)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(DataError, match=r"^train.tsv: the only label is 'spam'; expected at least two labels"):
        label_set(labelled("spam", "spam"))
    with pytest.raises(DataError, match=r"^train.tsv: no label; expected"):
        label_set(several((), ()))


def test_a_dev_of_the_same_kind_is_taken() -> None:
    train = labelled("ham", "spam")
    assert check_labels(("ham", "spam"), train, labelled("spam", path="dev.tsv"), TextSettings()) == {}
    assert check_labels(("score",), numbers(1, 2), numbers(5), TextSettings()) == {}


def test_labels_that_train_lacks() -> None:
    train, dev = labelled("ham", "spam"), labelled("spam", "eggs", "bacon", "eggs", path="dev.tsv")
    message = (
        r"^dev.tsv, line 2: labels that the training data lacks: 'bacon' \(1\), 'eggs' \(2\); it has 'ham', 'spam'. "
        r"Mend the file, or type --unknown-tags miss to count them as missed$"
    )
    with pytest.raises(LabelError, match=message):
        check_labels(("ham", "spam"), train, dev, TextSettings())
    assert check_labels(("ham", "spam"), train, dev, MISS) == {"eggs": 2, "bacon": 1}
    sets = several(("a",), ("b", "x"), ("x", "y"), path="dev.tsv")
    with pytest.raises(LabelError, match=r"^dev.tsv, line 2: .*'x' \(2\), 'y' \(1\); it has 'a', 'b'"):
        check_labels(("a", "b"), several(("a",), ("b",)), sets, TextSettings())


@pytest.mark.parametrize("turned", [False, True])
def test_text_against_numbers(turned: bool) -> None:
    text, number = labelled("ham", "spam"), labelled("0", "1", "-1")
    train, dev = (number, text) if turned else (text, number)
    kinds = "text here and numbers" if turned else "numbers here and text"
    with pytest.raises(
        LabelError, match=rf"The labels are {kinds} in the training data: name the right --label-column"
    ):
        check_labels(label_set(train), train, dev, TextSettings())


def test_pairs_against_single_texts() -> None:
    pairs = corpus([LabelledText("a", "b", ("x",)), LabelledText("a", "c", ("y",))], path="pairs.tsv")
    single = labelled("x", "y", path="single.tsv")
    with pytest.raises(UsageError, match=r"^pairs.tsv holds pairs and single.tsv single texts; give the same columns"):
        check_labels(("x", "y"), single, pairs, MISS)
    with pytest.raises(UsageError, match=r"^single.tsv holds single texts and pairs.tsv pairs"):
        check_labels(("x", "y"), pairs, single, MISS)


def test_another_problem() -> None:
    message = (
        "^dev.tsv is read as regression and train.tsv as single_label_classification; if one of the two is meant, say "
        "so with --problem single, multi or regression$"
    )
    with pytest.raises(UsageError, match=message):
        check_labels(("a", "b"), labelled("a", "b"), numbers(1.5, path="dev.tsv"), MISS)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    gold = ["a"] * 7 + ["b"] * 2 + ["c"]
    expected = compute_class_weight("balanced", classes=np.asarray(["a", "b", "c"]), y=gold)
    found = class_weights("balanced", ("a", "b", "c"), (7, 2, 1), 10, Problem.SINGLE)
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    positive = class_weights("balanced", ("a", "b"), (2, 5), 10, Problem.MULTI)
    assert positive is not None
    assert positive.tolist() == [4.0, 1.0]  # negatives over positives


def test_weights_by_hand() -> None:
    labels = ("a", "b=c", "d e")
    found = class_weights(" d e =2, b=c=0.5", labels, (1, 1, 1), 3, Problem.SINGLE)
    assert found is not None
    assert found.tolist() == [1.0, 0.5, 2.0]
    assert class_weights("", labels, (1, 1, 1), 3, Problem.SINGLE) is None


@pytest.mark.parametrize("given", ["x=2", "a", "a=", "a=two", "a=-1", "a=nan", "a=inf", "a=1,", "=1", "a=1,a=2"])
def test_weights_that_cannot_be_read(given: str) -> None:
    with pytest.raises(
        UsageError, match=r"--class-weights has '.*'; expected 'balanced' or LABEL=WEIGHT,… with .*a, b"
    ):
        class_weights(given, ("a", "b"), (1, 1), 2, Problem.SINGLE)


def test_weights_that_weigh_nothing() -> None:
    with pytest.raises(UsageError, match=r"--class-weights is 'a=0,b=0'; expected a weight above 0"):
        class_weights("a=0,b=0", ("a", "b"), (1, 1), 2, Problem.SINGLE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_weights": "balanced"}, "--class-weights is 'balanced', but numbers have no classes"),
        ({"focal_gamma": 2.0}, "--focal-gamma is 2.0, but numbers have no classes"),
        ({"label_smoothing": 0.1}, "--label-smoothing is 0.1, but numbers have no classes"),
    ],
)
def test_options_of_classes_are_refused_for_numbers(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):  # before the encoder, which there is not, is looked for
        prepare_texts(numbers(1.0, 2.0), None, TextSettings(encoder="./nosuch", **changes))
    with pytest.raises(EncoderError):
        prepare_texts(toy("single", 4, 1), None, TextSettings(encoder="./nosuch", **changes))


def test_options_reach_the_loss(encoders: Encoders) -> None:
    settings = TextSettings(
        str(encoders("bert-uncased")), class_weights="a=3", focal_gamma=1.5, label_smoothing=0.2, pooling="max"
    )
    prepared = prepare_texts(labelled("a", "b"), None, settings)
    assert prepared.loss.weights is not None
    assert prepared.loss.weights.tolist() == [3.0, 1.0]
    assert (prepared.loss.gamma, prepared.loss.smoothing, prepared.pooling) == (1.5, 0.2, "max")
    assert prepared.scorer() is None


def test_empty_texts_are_left_out_of_train_and_counted(encoders: Encoders) -> None:
    settings = TextSettings(str(encoders("bert-uncased")))
    texts = [LabelledText(text, labels=(label,)) for text, label in (("x", "a"), (" \n", "b"), ("", "a"), ("y", "b"))]
    prepared = prepare_texts(corpus(texts), corpus(texts, path="dev.tsv"), settings)
    assert prepared.empty == 2
    assert prepared.train.targets_by_text.tolist() == [0, 1]
    assert prepared.dev is not None
    assert prepared.dev.targets_by_text.tolist() == [0, 1, 0, 1]  # every text of dev is scored
    pairs = [LabelledText("x", "", ("a",)), LabelledText("", "y", ("b",)), LabelledText(" ", "", ("b",))]
    assert prepare_texts(corpus(pairs), None, settings).empty == 1
    blank = [LabelledText(" ", labels=(label,)) for label in "ab"]
    with pytest.raises(DataError, match=r"^train.tsv: every text is empty; expected texts to learn from"):
        prepare_texts(corpus(blank), None, settings)


def test_unknown_labels_are_missed(encoders: Encoders) -> None:
    settings = TextSettings(str(encoders("bert-uncased")), unknown_tags="miss")
    single = prepare_texts(labelled("a", "b"), labelled("b", "x", "a", path="dev.tsv"), settings)
    assert single.dev is not None
    assert single.dev.targets_by_text.tolist() == [1, UNKNOWN, 0]
    assert single.unknown == {"x": 1}
    sets = prepare_texts(several(("a",), ("b",)), several(("b", "x"), ("x",), path="dev.tsv"), settings)
    assert sets.dev is not None
    assert sets.dev.targets_by_text.tolist() == [[0, 1], [0, 0]]


def test_every_window_of_a_long_text_bears_its_label(encoders: Encoders) -> None:
    texts = [LabelledText("one", labels=("a",)), LabelledText("rain and snow " * 60, labels=("b",))]
    prepared = prepare_texts(corpus(texts), None, TextSettings(str(encoders("bert-uncased")), window=32))
    assert prepared.sequences.length == 32
    owner = prepared.train.owner.tolist()
    assert owner == [0] + [1] * (len(prepared.train.windows) - 1)
    assert len(owner) > 5
    assert prepared.train.targets([0, 2, 3], 32).tolist() == [0, 1, 1]
    assert max(prepared.train.lengths) <= 32


def test_pairs_that_are_cut_are_counted(encoders: Encoders) -> None:
    texts = [LabelledText("x", "y", ("a",)), LabelledText("x", "rain and snow " * 60, ("b",))]
    prepared = prepare_texts(corpus(texts), None, TextSettings(str(encoders("bert-cased")), window=16))
    assert prepared.paired
    assert prepared.train.lengths[1] == 16
    assert prepared.train.shortened == 1
    assert prepared.train.cut > 100


def test_a_window_that_the_encoder_does_not_bear(encoders: Encoders) -> None:
    with pytest.raises(UsageError, match=r"--set window=65; encoder .* takes at most 64"):
        prepare_texts(labelled("a", "b"), None, TextSettings(str(encoders("bert-cased")), window=65))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_last_layer_gives_the_logits(name: str, encoders: Encoders) -> None:
    labels = tuple(f"label {number}" for number in range(32))  # as many as the encoders are wide
    prepared = prepare_texts(labelled(*labels), None, TextSettings(str(encoders(name))))
    model: Any = prepared.encoder.model
    before = logits(prepared, model)
    shift = torch.arange(32.0)
    with torch.no_grad():
        last_layer(model, 32).bias.add_(shift)
    torch.testing.assert_close(logits(prepared, model), before + shift, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "distilbert", "modernbert"])
def test_the_head_begins_with_the_frequencies(name: str, encoders: Encoders) -> None:
    settings = TextSettings(str(encoders(name)))
    for train, expected in (
        (labelled(*"aaaaaaabbc"), [0.7, 0.2, 0.1]),
        (several(*[("a",)] * 6, *[("a", "b")] * 3, (), path="several.tsv"), [0.9, 0.3]),
    ):
        prepared = prepare_texts(train, None, settings)
        head = last_layer(prepared.encoder.model, len(prepared.labels))
        with torch.no_grad():
            head.weight.zero_()
        said = logits(prepared, prepared.encoder.model)
        chance = said.softmax(-1) if train.problem is Problem.SINGLE else said.sigmoid()
        torch.testing.assert_close(chance, torch.tensor(expected).expand_as(chance), atol=0.05, rtol=0)
        ranked = chance[0].tolist()
        assert ranked == sorted(ranked, reverse=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_numbers_are_learned_on_a_scale_of_their_own(name: str, encoders: Encoders) -> None:
    scores = (-40.0, 12.5, 300.0, 1000.0)
    prepared = prepare_texts(numbers(*scores), numbers(3.0, 4.0, path="dev.tsv"), TextSettings(str(encoders(name))))
    learned = prepared.train.targets_by_text
    assert abs(learned.mean()) < 1e-6
    assert learned.std() == pytest.approx(1, abs=1e-6)
    assert prepared.scale == pytest.approx((np.mean(scores), np.std(scores)))
    mean, deviation = prepared.scale
    model = copy.deepcopy(prepared.encoder.model)
    before = logits(prepared, model)
    prepared.finish(model)
    torch.testing.assert_close(logits(prepared, model), before * deviation + mean, rtol=1e-4, atol=1e-2)
    assert model.config.problem_type == "regression"


def test_finishing_leaves_labels_as_they_are(encoders: Encoders) -> None:
    prepared = prepare_texts(labelled("a", "b"), None, TextSettings(str(encoders("bert-cased"))))
    before = {name: each.clone() for name, each in prepared.encoder.model.state_dict().items()}
    prepared.finish(prepared.encoder.model)
    assert all(torch.equal(each, before[name]) for name, each in prepared.encoder.model.state_dict().items())


def test_numbers_that_are_all_the_same(encoders: Encoders) -> None:
    prepared = prepare_texts(numbers(5.0, 5.0), None, TextSettings(str(encoders("bert-cased"))))
    assert prepared.scale == (5.0, 1.0)
    assert prepared.train.targets_by_text.tolist() == [0, 0]


@pytest.mark.parametrize("problem", list(Problem))
def test_the_configuration_says_what_is_asked(problem: Problem, encoders: Encoders) -> None:
    labels = ("score",) if problem is Problem.REGRESSION else ("no", "yes")
    config = load_for_texts(str(encoders("albert")), labels, problem).model.config
    assert config.problem_type == problem.value
    assert config.id2label == dict(enumerate(labels))
    assert config.label2id == {label: number for number, label in enumerate(labels)}
