"""In which form a model writes calls: read off what its chat template makes of one."""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.data.chat.opened_thought import OPENING
from posttrain.data.chat.template import ChatTemplate
from posttrain.data.chat.turn_marks import CALL, QUESTION
from posttrain.environments.tools.parse import FORMS, parse
from posttrain.errors import DataError

DEFAULT = "hermes"  # of templates without calls: the form that most models have seen


@dataclass(frozen=True)
class Writing:
    """How turns are written: the form of calls, and whether the prompt opens the thought that a turn begins with."""

    form: str = DEFAULT
    thinking: bool = False


def writing_of(template: ChatTemplate) -> Writing:
    """Render a call with the template, and find the form that reads the same call in what it wrote."""
    user = {"role": "user", "content": QUESTION}
    called = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    asked = template.question([user])
    thinking = OPENING.search(asked) is not None
    try:
        whole = template.whole([user, called])
    except DataError:  # a template that refuses calls
        return Writing(thinking=thinking)
    said = whole.removeprefix(asked)
    return Writing(next((form for form in FORMS if _reads(said, form)), DEFAULT), thinking)


def _reads(said: str, form: str) -> bool:
    function = CALL["function"]
    assert isinstance(function, dict)
    schema = {"function": {"name": function["name"], "parameters": {"properties": dict.fromkeys("ab", NUMBER)}}}
    action = parse(said, form, [schema])
    return [(call.name, call.arguments) for call in action.calls] == [(function["name"], function["arguments"])]


NUMBER = {"type": "integer"}
