"""Replies of the server, validated against the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from posttrain.endpoint.failure import ReplyError, TransientError


@dataclass(frozen=True)
class Choice:
    """One answer. `refused`: the model's reason for refusing; `cut`: whether max_tokens ended it."""

    text: str
    refused: str = ""
    cut: bool = False
    logprobs: Any = None


@dataclass(frozen=True)
class Reply:
    """The requested number of choices, in order, and the tokens read and written if the server reports them."""

    choices: tuple[Choice, ...]
    usage: tuple[int, int] | None = None


def decode(content: bytes) -> Any:
    """Parse strict JSON: UTF-8, no NaN, no repeated key. Raises ValueError."""
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read(content: bytes, asked: Mapping[str, Any], served_as: str = "") -> Reply:
    """Parse a reply. Raises TransientError if the body is no JSON, ReplyError if it does not answer the request."""
    try:
        body = decode(content)
    except ValueError as error:
        raise TransientError(f"the body of the reply cannot be read: {error!s:.200}") from None
    return check(body, asked, served_as)


def check(body: Any, asked: Mapping[str, Any], served_as: str = "") -> Reply:
    """Validate a reply. Raises ReplyError that names the difference from the request."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise ReplyError(f"the reply holds no list of choices: {body!r:.200}")
    model = body.get("model")
    if isinstance(model, str) and not same_model(model, served_as or asked["model"]):
        raise ReplyError(
            f"{asked['model']!r} was asked, and the model {model!r:.200} answered; is it meant? set endpoint.served_as"
        )
    choices, wanted = body["choices"], asked.get("n", 1)
    if len(choices) != wanted:
        raise ReplyError(f"{wanted} choices were asked for, and the reply holds {len(choices)}")
    by_index = {c.get("index", k) if isinstance(c, dict) else k: c for k, c in enumerate(choices)}
    if set(by_index) != set(range(wanted)):
        raise ReplyError(f"the choices of the reply are numbered {[*by_index]!r:.200} instead of 0 to {wanted - 1}")
    return Reply(tuple(_choice(by_index[k], asked) for k in range(wanted)), usage(body.get("usage")))


def _choice(choice: Any, asked: Mapping[str, Any]) -> Choice:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise ReplyError(f"a choice of the reply holds no message: {choice!r:.200}")
    text, refused = message.get("content"), message.get("refusal")
    if not isinstance(text, str | None) or not isinstance(refused, str | None):
        raise ReplyError(f"the message of the reply is no text: {message!r:.200}")
    if asked.get("logprobs") and not choice.get("logprobs"):
        raise ReplyError("log-probabilities were asked for, and the reply holds none")
    return Choice(text or "", refused or "", choice.get("finish_reason") == "length", choice.get("logprobs"))


def usage(given: Any) -> tuple[int, int] | None:
    """Return the tokens read and written, where the server reports them."""
    values = [given.get(n) for n in ("prompt_tokens", "completion_tokens")] if isinstance(given, dict) else []
    counts = [x for x in values if isinstance(x, int) and not isinstance(x, bool) and x >= 0]
    return (counts[0], counts[1]) if len(counts) == 2 else None


def same_model(answered: str, asked: str) -> bool:
    """Return whether the model that answered is the one asked, or a dated version of it: gpt-5-2026-08-07 for gpt-5."""
    return answered == asked or (answered.startswith(f"{asked}-") and answered[len(asked) + 1 :][:1].isdigit())


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise ValueError("a key occurs twice in it")
    return unique
