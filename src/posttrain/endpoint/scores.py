"""Numbers from servers of reward models: vLLM's /classify, /pooling and /score.

A reply is one choice whose text is the number, exactly as Python writes it. Activations are turned off, so that the
number is what the head says, not a probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from posttrain.endpoint.api import Api
from posttrain.endpoint.failure import ReplyError, TransientError
from posttrain.endpoint.reply import Choice, Reply, decode, same_model, usage

Name = Literal["classify", "pooling", "score"]
_FIELDS = {"classify": "probs", "pooling": "data", "score": "score"}  # of the one entry in a reply's `data`


def request_of(api: Name, prompt: str, conversation: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Build the request for one answer: its whole conversation, or for /score the prompt and the answer as a pair."""
    if api == "score":
        return {"text_1": prompt, "text_2": conversation[-1]["content"], "use_activation": False}
    return {"messages": [dict(m) for m in conversation], "add_generation_prompt": False, "use_activation": False}


def number_of(reply: Reply) -> float:
    """Return the number of a reply."""
    return float(reply.choices[0].text)


def _reader(field: str) -> Callable[[bytes, Mapping[str, Any], str], Reply]:
    def read(content: bytes, asked: Mapping[str, Any], served_as: str = "") -> Reply:
        try:
            body = decode(content)
        except ValueError as error:
            raise TransientError(f"the body of the reply cannot be read: {error!s:.200}") from None
        entries = body.get("data") if isinstance(body, dict) else None
        if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
            raise ReplyError(f"the reply holds no list `data` with one entry: {body!r:.200}")
        model = body.get("model")
        if isinstance(model, str) and not same_model(model, served_as or asked["model"]):
            raise ReplyError(f"{asked['model']!r} was asked, and the model {model!r:.200} answered; set served_as")
        return Reply((Choice(repr(_number(entries[0].get(field)))),), usage(body.get("usage")))

    return read


def _number(value: Any) -> float:
    """The one number of an entry, which may lie in lists of one element, or the last of a number for each token."""
    while isinstance(value, list) and value and (len(value) == 1 or isinstance(value[-1], list)):
        value = value[-1]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ReplyError(f"the server gives {value!r:.200} for an answer; a reward model gives one number")
    return float(value)


APIS: dict[str, Api] = {name: Api(f"/{name}", _reader(field), root=True) for name, field in _FIELDS.items()}
