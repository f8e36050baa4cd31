"""A form that a model fills in: the JSON schema for the server, and the validation of replies.

Form("verdict", {"reason": Text(), "score": Number(1, 10)})
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.endpoint.client import Body, Client
from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.reply import Reply, decode

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
_RETRY = "Your reply could not be read: {why}. Reply again, with the JSON object alone."
_LONGEST = 20_000  # characters of a filled-in form


@dataclass(frozen=True)
class Number:
    """A field for a number from `low` to `high`."""

    low: float
    high: float
    whole: bool = True

    def schema(self) -> dict[str, Any]:
        return {"type": "integer" if self.whole else "number", "minimum": self.low, "maximum": self.high}

    def fits(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return math.isfinite(value) and (not self.whole or value == int(value))


@dataclass(frozen=True)
class Word:
    """A field for one of a few words."""

    choices: tuple[str, ...]

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices)}

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.choices


@dataclass(frozen=True)
class Text:
    """A field for any text."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)


@dataclass(frozen=True)
class Texts:
    """A field for any number of texts."""

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}

    def fits(self, value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(text, str) for text in value)


@dataclass(frozen=True)
class Form:
    """Fields by name. All of them are required, and no others are allowed."""

    name: str
    fields: Mapping[str, Number | Word | Text | Texts]

    def response_format(self) -> dict[str, Any]:
        """Return the form as the `response_format` of /chat/completions."""
        schema = {
            "type": "object",
            "properties": {name: f.schema() for name, f in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": self.name, "strict": True, "schema": schema}}

    def read(self, text: str) -> dict[str, Any]:
        """Parse a filled-in form. Raises ValueError that says what is wrong.

        The object may be surrounded by a Markdown fence or by prose without braces. Two objects are ambiguous, so they
        are an error.
        """
        if not text.strip():
            raise ValueError("it is empty")
        if len(text) > _LONGEST:
            raise ValueError(f"it has {len(text)} characters")
        value = _object(text)
        if set(value) != set(self.fields):
            raise ValueError(f"its keys are {sorted(value)!s:.200} instead of {sorted(self.fields)}")
        for name, field in self.fields.items():
            if not field.fits(value[name]):
                raise ValueError(f"{name} is {value[name]!r:.80}, which does not fit {field.schema()}")
        return value


def fill_in(client: Client, form: Form, bodies: Sequence[Body]) -> list[dict[str, Any] | ReplyError | None]:
    """Have the form filled in for each request: None where the model refuses, a ReplyError where it is unreadable.

    An unreadable reply is requested once more, unless max_tokens cut it: it would be cut again.
    """
    bodies = [{**body, "response_format": form.response_format()} for body in bodies]
    replies = client.ask(bodies)
    filled = [_filled(form, reply) for reply in replies]
    unreadable = [k for k, value in enumerate(filled) if isinstance(value, _UnreadableError)]
    retries = client.ask([_retry(bodies[k], filled[k]) for k in unreadable])
    for k, reply in zip(unreadable, retries, strict=True):
        filled[k] = _filled(form, reply)
    return filled


class _UnreadableError(ReplyError):
    """The model wrote something that is not the form."""

    def __init__(self, text: str, why: ValueError) -> None:
        super().__init__(f"the reply {text!r:.200} cannot be read: {why}")
        self.text = text
        self.why = str(why)


def _filled(form: Form, reply: Reply | ReplyError) -> dict[str, Any] | ReplyError | None:
    if isinstance(reply, ReplyError):
        return reply
    choice = reply.choices[0]
    if choice.refused:
        return None
    if choice.cut:
        return ReplyError(
            f"the reply {choice.text!r:.200} was cut; raise max_tokens (or max_completion_tokens) in `request`"
        )
    try:
        return form.read(choice.text)
    except ValueError as error:
        return _UnreadableError(choice.text, error)


def _retry(body: Body, unreadable: Any) -> Body:
    reply = {"role": "assistant", "content": unreadable.text[:_LONGEST]}
    return {**body, "messages": [*body["messages"], reply, _user(_RETRY.format(why=unreadable.why))]}


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _object(text: str) -> dict[str, Any]:
    """Parse the one JSON object of a text."""
    fenced = _FENCE.fullmatch(text)
    inner = fenced[1] if fenced else text
    start, end = inner.find("{"), inner.rfind("}")
    if start < 0 or end < start:
        raise ValueError("it holds no JSON object")
    if {"{", "}"} & {*inner[:start], *inner[end + 1 :]}:
        raise ValueError("its braces do not match")
    value = decode(inner[start : end + 1].encode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value
