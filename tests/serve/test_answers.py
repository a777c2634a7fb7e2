"""A real server answers as the pipeline does that stands beside it, also to the client of Hugging Face."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from tests.serve.conftest import Models
from tests.serve.support import LINES, LONG, Server, in_threads, same

TOKENS, TEXTS = "/v1/token-classification", "/v1/text-classification"
PAIR = {"text": LINES[0], "text_pair": LINES[1]}


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
@pytest.mark.parametrize("inputs", [LINES[0], [LINES[1], "", LINES[2], LONG], []])
def test_entities_are_those_of_the_pipeline(server: Server, models: Models, strategy: str, inputs: Any) -> None:
    parameters = {"aggregation_strategy": strategy, "ignore_labels": ["I-PER", "LOC"]}
    found = server.post(TOKENS, {"inputs": inputs, "parameters": parameters})
    assert found.status_code == 200, found.text
    assert same(found.json(), models.local_tokens(inputs, **parameters))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"stride": 0},
        {"stride": 20, "aggregation_strategy": "first", "ignore_labels": []},
        {"batch_size": 8, "is_split_into_words": False},
    ],
)
def test_options_of_entities(server: Server, models: Models, parameters: dict[str, Any]) -> None:
    found = server.post(TOKENS, {"inputs": LONG, "parameters": parameters, "model": "tokens"}).json()
    assert found
    assert same(found, models.local_tokens(LONG, **parameters))


@pytest.mark.parametrize("inputs", [LINES[0].split(), [LINES[0].split(), [], LINES[1].split()]])
def test_words(server: Server, models: Models, inputs: Any) -> None:
    parameters = {"is_split_into_words": True, "delimiter": "__", "aggregation_strategy": "simple"}
    found = server.post(TOKENS, {"inputs": inputs, "parameters": parameters}).json()
    assert any(found)
    assert same(found, models.local_tokens(inputs, **parameters))


@pytest.mark.parametrize("inputs", [LINES[0], PAIR, [LINES[0], PAIR, "", LONG], {"text": LINES[2]}, []])
@pytest.mark.parametrize(
    "parameters",
    [{}, {"top_k": 2}, {"top_k": None}, {"function_to_apply": "sigmoid"}, {"max_length": 16, "truncation": True}],
)
def test_labels_are_those_of_the_pipeline(
    server: Server, models: Models, inputs: Any, parameters: dict[str, Any]
) -> None:
    found = server.post(TEXTS, {"inputs": inputs, "parameters": parameters})
    assert found.status_code == 200, found.text
    assert same(found.json(), models.local_texts(inputs, **{"truncation": True, **parameters}))


def test_pairs_that_were_shortened_are_told(server: Server) -> None:
    assert "x-tagline-shortened" not in server.post(TEXTS, {"inputs": LONG}).headers
    found = server.post(TEXTS, {"inputs": {"text": LONG, "text_pair": "short"}})
    assert int(found.headers["x-tagline-shortened"]) > 100


def test_the_client_of_hugging_face(server: Server, models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # it takes this machine for the network
    tokens, texts = (InferenceClient(model=f"{server.url}/models/{name}", timeout=60) for name in ("tokens", "texts"))
    found = tokens.token_classification(LINES[0])
    wanted = models.local_tokens(LINES[0], aggregation_strategy="simple")
    assert [(each.entity_group, each.word, each.start, each.end) for each in found] == [
        (each["entity_group"], each["word"], each["start"], each["end"]) for each in wanted
    ]
    assert found
    plain = tokens.token_classification(LINES[0], aggregation_strategy="none", ignore_labels=["O", "B-LOC"])
    wanted = models.local_tokens(LINES[0], ignore_labels=["O", "B-LOC"])
    assert [(each.entity, each.start) for each in plain] == [(each["entity"], each["start"]) for each in wanted]
    best = texts.text_classification(LINES[0], top_k=2)
    assert [each.label for each in best] == [each["label"] for each in models.local_texts(LINES[0], top_k=2)]
    everything = texts.text_classification(LINES[0], function_to_apply="none")
    wanted = models.local_texts(LINES[0], top_k=None, function_to_apply="none")
    assert same([each.score for each in everything], [each["score"] for each in wanted])
    with pytest.raises(HfHubHTTPError, match="no model 'other' here; there are tokens, texts"):
        InferenceClient(model=f"{server.url}/models/other").text_classification("a")


def test_no_answer_is_lost_or_swapped(server: Server, models: Models) -> None:
    """1,536 requests of all kinds from 32 clients at once; each answer is compared with the pipeline's own."""
    draw = random.Random(3)
    words = " ".join(LINES).split()
    texts = [" ".join(draw.choices(words, k=draw.choice([1, 5, 12, 30, 90]))) for _ in range(96)]
    options: list[tuple[str, dict[str, Any]]] = [
        (TOKENS, {"aggregation_strategy": "simple"}), (TOKENS, {}), (TOKENS, {"stride": 3, "ignore_labels": []}),
        (TEXTS, {}), (TEXTS, {"top_k": 3}), (TEXTS, {"max_length": 20}),
    ]  # fmt: skip
    wanted: dict[tuple[int, int], Any] = {}
    for place, (path, parameters) in enumerate(options):
        local = models.local_tokens if path == TOKENS else models.local_texts
        wanted |= {(place, number): answer for number, answer in enumerate(local(texts, **parameters))}

    def client(seed: int) -> int:
        mine, wrong = random.Random(seed), 0
        with httpx.Client(base_url=server.url, timeout=60) as http:
            for _ in range(48):
                place, chosen = mine.randrange(len(options)), mine.sample(range(len(texts)), mine.choice([1, 1, 1, 4]))
                path, parameters = options[place]
                found = http.post(path, json={"inputs": [texts[each] for each in chosen], "parameters": parameters})
                wrong += found.status_code != 200 or not same(found.json(), [wanted[place, each] for each in chosen])
        return wrong

    assert in_threads(32, client) == [0] * 32
    shared = server.metric('tagline_batch_windows_bucket{model="tokens",le="1"}')
    assert shared < server.metric('tagline_batches_total{model="tokens"}')  # requests did share batches
    assert server.metric("tagline_requests_in_progress") == 0
    assert server.metric('tagline_queue_tokens{class="short"}') == 0
    assert server.metric('tagline_queue_requests{class="long"}') == 0


def test_models_are_told(server: Server) -> None:
    found = server.get("/v1/models").json()["models"]
    assert [(each["name"], each["task"], each["default"]) for each in found] == [
        ("tokens", "token-classification", True),
        ("texts", "text-classification", True),
    ]
    assert found[0]["labels"] == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").json() == {"status": "ready", "models": ["tokens", "texts"]}


def test_metrics_count(server: Server) -> None:
    names = ("windows", "tokens", "texts")
    before = [server.metric(f'tagline_{name}_total{{model="tokens"}}') for name in names]
    found = server.post(TOKENS, {"inputs": [LONG, LINES[0]]})
    after = [server.metric(f'tagline_{name}_total{{model="tokens"}}') for name in names]
    windows, tokens, texts = (now - then for now, then in zip(after, before, strict=True))
    assert (texts, tokens) == (2, int(found.headers["x-tagline-tokens"]))
    assert windows > 5
    text = server.get("/metrics").text
    for name in ("requests_total", "request_seconds", "queue_requests", "batch_windows", "queue_seconds"):
        assert f"# TYPE tagline_{name} " in text
    bucket = 'tagline_request_seconds_bucket{route="token-classification",le="+Inf"}'
    assert server.metric(bucket) == server.metric('tagline_request_seconds_count{route="token-classification"}') > 0
