"""Function calling: a request, some functions, and the calls that it asks for.

One turn. Its calls are compared with those of the column `calls`, a list of {"name", "arguments"}: neither the order of
the calls nor that of the arguments counts, and calls of bundled functions agree also where they come to the same
result. The reward is 1 where all agree and none is left over, else 0; `call_accuracy` in the info is the share that
agrees. The column `tools` holds the schemas of the functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Action, Call, Environment, Outcome, Tool
from posttrain.environments.tools.agreement import accuracy, gold_calls
from posttrain.environments.tools.registry import FUNCTIONS, task
from posttrain.environments.tools.schema import name_of, parameters_of, schema_of, schemas_of
from posttrain.environments.tools.validate import ArgumentError, checked
from posttrain.records import Message, Prompt


class FunctionCalling(Environment):
    """Function calling."""

    def __init__(self) -> None:
        self.gold: list[Call] = []
        self.schemas: list[dict[str, Any]] = []

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make requests for one or two calls of five small functions."""
        rows = []
        for number in range(count):
            asked, offered, calls = task(Draws("function_calling", seed, number), 2)
            tools = [schema_of(FUNCTIONS[name]) for name in offered]
            rows.append({"prompt": [{"role": "user", "content": asked}], "tools": tools, "calls": calls})
        return rows

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the request; the schemas belong to the prompt."""
        if "calls" not in prompt.columns:
            raise ValueError(f"function_calling reads the column calls, and {prompt.where or 'the prompt'} has none")
        self.gold = gold_calls(prompt.columns["calls"])
        self.schemas = schemas_of(prompt.arguments.get("tools", ()))
        return super().reset(prompt, seed)

    def tools(self) -> Sequence[Tool]:
        """The functions to choose from."""
        return self.schemas

    def step(self, action: Action) -> Outcome:
        """Judge the calls."""
        valid = [call for call in action.calls if self._holds(call)]
        unread, invalid = len(action.unread), len(action.calls) - len(valid)
        share = accuracy(valid, unread + invalid, self.gold, _result)
        wrong = {name: count for name, count in (("unread", unread), ("arguments", invalid)) if count}
        info = {"call_accuracy": share, "calls": len(action.calls) + unread, **wrong}
        return Outcome(reward=float(share == 1.0), done=True, info=info)

    def _holds(self, call: Call) -> bool:
        """Whether a call fits the schema of a function that was offered."""
        parameters = next((parameters_of(s) for s in self.schemas if name_of(s) == call.name), None)
        if parameters is None:
            return False
        try:
            checked(call.arguments, parameters)
        except ArgumentError:
            return False
        return True


def _result(call: Call) -> Any:
    """What a bundled function answers; any other call comes to itself."""
    if call.name not in FUNCTIONS:
        return call.arguments
    try:
        return FUNCTIONS[call.name](**call.arguments)
    except Exception as error:  # noqa: BLE001 -- the arguments fit the schema, and make no sense
        return f"{type(error).__name__}: {error}"
