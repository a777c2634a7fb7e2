"""The addresses of the server, and their description for people and programs (OpenAPI)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from tagline import __version__
from tagline.serve.desk import TEXTS, TOKENS, Desk
from tagline.serve.posts import Posts
from tagline.serve.schemas import (
    REVIEW,
    SENTENCE,
    ErrorAnswer,
    HubTextRequest,
    HubTokenRequest,
    ModelsAnswer,
    TextAnswer,
    TextRequest,
    TokenAnswer,
    TokenRequest,
)

_STALLED = 120.0  # seconds of one step, after which a worker is taken to hang
_ERRORS = {
    400: "The body is not JSON.",
    401: "The API key is missing or wrong.",
    404: "There is no such model.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    422: "The body is not what is expected, or asks for more than is allowed.",
    500: "The server failed on this request.",
    503: "Too much is waiting; Retry-After says when to try again.",
    504: "There was no answer in time.",
}
_DESCRIPTION = """Entities and labels of texts, from models trained or opened by Tagline.

`/v1/…` answers in the schema of `transformers.pipeline`, `/models/NAME` in that of Hugging Face's inference API, so
that `huggingface_hub.InferenceClient(model="http://HOST:PORT/models/NAME")` works."""


def build_app(desk: Desk, cors: tuple[str, ...] = ()) -> ASGIApp:
    """The application.

    Args:
        desk: answers its requests.
        cors: origins whose pages may ask from a browser.
    """
    answering: ASGIApp = Posts(_described_app(desk), desk)
    if not cors:
        return answering
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        answering,
        allow_origins=list(cors),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
        expose_headers=["retry-after", "x-request-id"],
    )


def _described_app(desk: Desk) -> FastAPI:
    app = FastAPI(title="Tagline", version=__version__, description=_DESCRIPTION, redoc_url=None)
    _add_reading(app)
    _add_state(app, desk)
    _add_errors(app)
    app.openapi = lambda: _described(app, desk)  # type: ignore[method-assign]
    return app


def _add_reading(app: FastAPI) -> None:
    errors = _errors(400, 401, 404, 413, 422, 500, 503, 504)

    for path, summary, task in (
        (f"/v1/{TOKENS}", "Entities in texts", TOKENS),
        (f"/v1/{TEXTS}", "Labels of texts or pairs of texts", TEXTS),
        ("/models/{name}", "Hugging Face's inference schema", "hub"),
    ):
        app.post(path, summary=summary, operation_id=f"post_{task}".replace("-", "_"), **_documented(task, errors))(
            _elsewhere if task != "hub" else _elsewhere_by_name
        )


async def _elsewhere() -> Response:
    """Never called: `posts.Posts` answers before the framework is asked. Here these routes are only described."""
    raise NotImplementedError


async def _elsewhere_by_name(name: str) -> Response:
    """The same, for a route with a name in it."""
    raise NotImplementedError


def _add_state(app: FastAPI, desk: Desk) -> None:
    @app.get("/v1/models", summary="The models", response_model=ModelsAnswer, responses=_errors(401))
    async def models(request: Request) -> Response:
        desk.authorize(request.scope)
        return JSONResponse({"models": desk.registry.describe()})

    @app.get("/healthz", summary="Whether the process works", responses=_errors(503))
    async def healthz() -> Response:
        if desk.lanes.error is not None or desk.lanes.busy_for() > _STALLED:
            return JSONResponse({"error": "the computing threads do not work"}, 503)
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", summary="Whether requests should be sent here", responses=_errors(503))
    async def readyz() -> Response:
        if desk.draining or desk.lanes.error is not None:
            return JSONResponse({"error": "the server is stopping"}, 503)
        return JSONResponse({"status": "ready", "models": desk.registry.names})

    @app.get(
        "/metrics",
        summary="Counts for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **_errors(401)},
    )
    async def metrics(request: Request) -> Response:
        desk.authorize(request.scope)
        return Response(desk.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_errors(app: FastAPI) -> None:
    """All errors in one form, that of Hugging Face: `{"error": "…"}`."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        told = error.detail
        if told == "Not Found":  # no route at all
            told = "there is nothing at this address; /docs shows what there is"
        return JSONResponse({"error": told}, error.status_code, error.headers)

    app.add_exception_handler(HTTPException, refused)


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ErrorAnswer, "description": _ERRORS[status]} for status in statuses}


def _documented(task: str, errors: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    """What a route that reads texts says of itself; bodies are parsed by hand, for their limits and their speed."""
    body: dict[str, Any] = {"schema": _reference(_BODIES[task]), "examples": _EXAMPLES[task]}
    answer: dict[str, Any] = {"schema": _SHAPES[task], "example": _ANSWERS[task]}
    return {
        "response_class": Response,
        "responses": {200: {"description": "The answers.", "content": {"application/json": answer}}, **errors},
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": body}}},
    }


def _reference(kinds: tuple[type, ...]) -> dict[str, Any]:
    found = [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in kinds]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_TOKEN, _TEXT = _reference((TokenAnswer,)), _reference((TextAnswer,))
_BODIES = {TOKENS: (TokenRequest,), TEXTS: (TextRequest,), "hub": (HubTokenRequest, HubTextRequest)}
_SHAPES: dict[str, dict[str, Any]] = {
    TOKENS: {"anyOf": [_list(_TOKEN), _list(_list(_TOKEN))]},
    TEXTS: {"anyOf": [_TEXT, _list(_TEXT), _list(_list(_TEXT))]},
    "hub": {"anyOf": [_list(_TOKEN), _list(_list(_TOKEN)), _list(_list(_TEXT))]},
}
_FOUND = [{"entity_group": "PER", "score": 0.998, "word": "Mark Zuckerberg", "start": 0, "end": 15}]
_ANSWERS = {TOKENS: _FOUND, TEXTS: [{"label": "positive", "score": 0.991}], "hub": _FOUND}
_EXAMPLES: dict[str, dict[str, Any]] = {
    TOKENS: {
        "one text": {"value": {"inputs": SENTENCE, "parameters": {"aggregation_strategy": "simple"}}},
        "several texts": {"value": {"inputs": [SENTENCE, "John Parker moved to New York."]}},
        "words": {"value": {"inputs": ["John", "Parker", "moved"], "parameters": {"is_split_into_words": True}}},
    },
    TEXTS: {
        "one text": {"value": {"inputs": REVIEW}},
        "all scores": {"value": {"inputs": [REVIEW, "Never again."], "parameters": {"top_k": None}}},
        "a pair": {"value": {"inputs": {"text": "He left.", "text_pair": "He went away."}}},
    },
    "hub": {
        "entities": {"value": {"inputs": SENTENCE, "parameters": {"aggregation_strategy": "simple"}}},
        "labels": {"value": {"inputs": REVIEW, "parameters": {"top_k": 2}}},
    },
}


def _described(app: FastAPI, desk: Desk) -> dict[str, Any]:
    """The OpenAPI document, with the bodies that are parsed by hand, and the key where there is one."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = FastAPI.openapi(app)
    kinds = {TokenRequest, TextRequest, HubTokenRequest, HubTextRequest, TokenAnswer, TextAnswer}
    wanted = [(kind, "validation") for kind in sorted(kinds, key=lambda kind: kind.__name__)]
    _, schemas = models_json_schema(wanted, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    for path in document["paths"].values():
        for operation in path.values():
            validation = operation["responses"].get("422", {})
            if "HTTPValidationError" in str(validation):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    if desk.key is not None:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, operations in document["paths"].items():
            if path not in ("/healthz", "/readyz"):
                for operation in operations.values():
                    operation["security"] = [{"key": []}]
    app.openapi_schema = document
    return document
