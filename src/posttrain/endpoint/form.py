"""A form that a model fills in: the JSON schema that the server gets, and the check of what came back.

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
_AGAIN = "Your reply could not be read: {why}. Reply again, with the JSON object alone."
_LONGEST = 20_000  # characters of a filled-in form


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`."""

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
    """One of a few words."""

    choices: tuple[str, ...]

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices)}

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.choices


@dataclass(frozen=True)
class Text:
    """Any text."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)


@dataclass(frozen=True)
class Form:
    """Fields by name, all of them required and no others."""

    name: str
    fields: Mapping[str, Number | Word | Text]

    def response_format(self) -> dict[str, Any]:
        """As /chat/completions reads it."""
        schema = {
            "type": "object",
            "properties": {name: f.schema() for name, f in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": self.name, "strict": True, "schema": schema}}

    def read(self, text: str) -> dict[str, Any]:
        """What was filled in. Raises ValueError that says what is wrong.

        Around the object there may be a Markdown fence, or prose without braces; with two objects there is no telling
        which one is meant.
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
    """The form, filled in once for each request: None where the model refuses, a ReplyError where it cannot be read.

    What cannot be read is asked for once more. A reply that max_tokens ended is not: it would end there again.
    """
    bodies = [{**body, "response_format": form.response_format()} for body in bodies]
    replies = client.ask(bodies)
    found = [_filled(form, reply) for reply in replies]
    again = [k for k, value in enumerate(found) if isinstance(value, _UnreadableError)]
    for k, reply in zip(again, client.ask([_once_more(bodies[k], found[k]) for k in again]), strict=True):
        found[k] = _filled(form, reply)
    return found


class _UnreadableError(ReplyError):
    """What the model wrote is not the form."""

    def __init__(self, text: str, why: ValueError) -> None:
        super().__init__(f"the reply {text!r:.200} cannot be read: {why}")
        self.text, self.why = text, str(why)


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


def _once_more(body: Body, unreadable: Any) -> Body:
    said = {"role": "assistant", "content": unreadable.text[:_LONGEST]}
    return {**body, "messages": [*body["messages"], said, _user(_AGAIN.format(why=unreadable.why))]}


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _object(text: str) -> dict[str, Any]:
    """The one JSON object of a text."""
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
