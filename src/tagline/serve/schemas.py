"""What requests and answers look like: the schema of Hugging Face's pipelines and of its inference API."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

STRICT = ConfigDict(extra="forbid", strict=True)
SENTENCE = "Mark Zuckerberg founded Facebook in Palo Alto."
REVIEW = "I was afraid of the street, but we slept like stones."


class TokenParameters(BaseModel):
    """Options of `tagline.pipeline` for entities."""

    model_config = STRICT
    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] = Field(
        "none", description="An answer a sub-token (none), or entities made of them. At /models the default is simple."
    )
    ignore_labels: list[str] = Field(["O"], description="Labels or entity groups that are left out.")
    stride: int | None = Field(
        None, ge=0, description="Most sub-tokens that neighbouring windows of a long text share; null: the model's own."
    )
    batch_size: int = Field(1, ge=1, description="Accepted, and without effect: requests share batches.")
    is_split_into_words: bool = Field(False, description="Whether inputs are lists of words.")
    delimiter: str = Field(" ", description="What joins such words; offsets count in the joined text.")


class TextParameters(BaseModel):
    """Options of `tagline.pipeline` for texts."""

    model_config = STRICT
    top_k: int | None = Field(
        None,
        ge=1,
        description="How many labels, the best first; null: all. By default the best alone (at /models all).",
    )
    function_to_apply: Literal["default", "sigmoid", "softmax", "none"] | None = Field(
        None, description="From logits to scores."
    )
    batch_size: int = Field(1, ge=1, description="Accepted, and without effect: requests share batches.")
    truncation: bool | Literal["longest_first", "do_not_truncate"] | None = Field(
        None, description="Accepted; single texts are read whole, and of pairs the longer text is shortened."
    )
    max_length: int | None = Field(None, ge=1, description="Most sub-tokens of a window.")
    padding: bool | Literal["longest", "max_length", "do_not_pad"] = Field(
        False, description="Accepted, and without effect."
    )


class Pair(BaseModel):
    """A text, or a pair of texts."""

    model_config = STRICT
    text: str
    text_pair: str | None = None


class TokenRequest(BaseModel):
    """Texts whose entities are wanted."""

    model_config = STRICT
    inputs: str | list[str] | list[list[str]] = Field(
        description="A text or several; with `is_split_into_words` a list of words or several."
    )
    parameters: TokenParameters = Field(default_factory=TokenParameters.model_construct)
    model: str | None = Field(None, description="Name of the model; by default the first one for this task.")


class TextRequest(BaseModel):
    """Texts or pairs whose labels are wanted."""

    model_config = STRICT
    inputs: str | Pair | list[str | Pair] = Field(description="A text or a pair, or several.")
    parameters: TextParameters = Field(default_factory=TextParameters.model_construct)
    model: str | None = Field(None, description="Name of the model; by default the first one for this task.")


class HubTokenRequest(TokenRequest):
    """The same in the inference schema of Hugging Face."""

    options: dict[str, Any] | None = Field(None, description="Accepted, and without effect.")


class HubTextRequest(TextRequest):
    """The same in the inference schema of Hugging Face."""

    options: dict[str, Any] | None = Field(None, description="Accepted, and without effect.")


class TokenAnswer(BaseModel):
    """An entity, or a sub-token with its label."""

    entity: str | None = None
    entity_group: str | None = None
    score: float
    index: int | None = None
    word: str
    start: int
    end: int


class TextAnswer(BaseModel):
    """A label with its score."""

    label: str
    score: float


class ModelAnswer(BaseModel):
    """A model that is served."""

    name: str
    task: str
    labels: list[str]
    engine: str
    precision: str
    window: int
    pairs: bool | None
    default: bool
    loaded: str


class ModelsAnswer(BaseModel):
    """The models that are served."""

    models: list[ModelAnswer]


class ErrorAnswer(BaseModel):
    """What was wrong, in a sentence."""

    error: str


Request = TypeVar("Request", bound=BaseModel)
_INPUTS = {
    "token-classification": "a text, a list of texts, or lists of words with is_split_into_words",
    "text-classification": 'a text, {"text": "first", "text_pair": "second"} for a pair, or a list of these',
}


class BadRequest(Exception):
    """A body that is not what was expected.

    Attributes:
        status: 400 where it is no JSON, else 422.
    """

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


def parse(kind: type[Request], body: bytes) -> Request:
    """A request out of its body.

    Raises:
        BadRequest: it is none; the message names the field but quotes no text.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise BadRequest(f"the body is not JSON: {first['msg']}", 400) from None
        place = [str(each) for each in first["loc"]]
        if not place:
            raise BadRequest('the body is not a JSON object; expected {"inputs": …, "parameters": {…}}') from None
        if place[0] == "inputs" and first["type"] != "missing":
            task = "token-classification" if issubclass(kind, TokenRequest) else "text-classification"
            raise BadRequest(f"inputs is not what is read here; expected {_INPUTS[task]}") from None
        if first["type"] == "extra_forbidden":
            known = _known(kind, place[:-1])
            raise BadRequest(f"{'.'.join(place)} is not known; accepted are {', '.join(known)}") from None
        raise BadRequest(f"{'.'.join(place)}: {first['msg']}") from None


def _known(kind: type[BaseModel], place: list[str]) -> list[str]:
    """Names of the fields that stand at a place."""
    if place and place[0] == "parameters":
        kind = TokenParameters if issubclass(kind, TokenRequest) else TextParameters
    return list(kind.model_fields)
