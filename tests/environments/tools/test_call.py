"""Execution of calls: hostile arguments and hostile tools give texts."""

import json
import math
import sys
import time

import pytest

from posttrain.environments.environment import Call
from posttrain.environments.tools.call import Toolbox, text_of
from posttrain.environments.tools.validate import ArgumentError, checked


def add(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


def echo(x: dict | list | str | float | None) -> object:
    """Say it again."""
    return x


def fails(what: str) -> str:
    """Fail in some way."""
    if what == "exit":
        sys.exit(3)
    if what == "mute":

        class Mute(Exception):
            def __str__(self):
                raise RuntimeError

        raise Mute
    if what == "hang":
        while True:
            try:
                time.sleep(60)
            except Exception:  # noqa: S110
                pass
    return 1 / 0


TOOLS = Toolbox([add, echo, fails], seconds=0.05, longest=40)


def test_a_call_and_its_result():
    assert TOOLS.call(Call("add", {"a": 1})).text == "3"
    assert TOOLS.call(Call("add", {"a": 1.0, "b": 5})).text == "6"
    assert TOOLS.call(Call("echo", {"x": {"é": [1, None]}})).text == '{"é": [1, null]}'
    assert TOOLS.call(Call("echo", {"x": "as it is"})).text == "as it is"


@pytest.mark.fault("E3")
@pytest.mark.parametrize(
    ("call", "says", "failed"),
    [
        (Call("sub", {}), "there is no tool 'sub'; the tools are add, echo, fails", "unknown"),
        (Call("__class__", {}), "there is no tool", "unknown"),
        (Call("add", {}), "add: the argument 'a' is missing", "arguments"),
        (Call("add", {"a": "1"}), "add: 'a' must be an integer, not a text", "arguments"),
        (Call("add", {"a": True}), "add: 'a' must be an integer, not true or false", "arguments"),
        (Call("add", {"a": 1.5}), "add: 'a' must be an integer, not a number", "arguments"),
        (Call("add", {"a": None}), "add: 'a' must be an integer, not null", "arguments"),
        (Call("add", {"a": math.nan}), "must be an integer", "arguments"),
        (Call("add", {"a": 1, "self": 2}), "there is no argument 'self'; the arguments are a, b", "arguments"),
        (Call("add", {"a": 1, "__init__": 2}), "there is no argument", "arguments"),
        (Call("fails", {"what": "zero"}), "fails raised ZeroDivisionError", "raised"),
        (Call("fails", {"what": "exit"}), "fails raised SystemExit: 3", "raised"),
        (Call("fails", {"what": "mute"}), "fails raised Mute: (no message)", "raised"),
        (Call("fails", {"what": "hang"}), "fails took longer than 0.05 seconds and was stopped", "slow"),
    ],
)
def test_what_goes_wrong_is_a_text(call, says, failed):
    result = TOOLS.call(call)
    assert (says in result.text, result.failed) == (True, failed), result
    assert result.text.startswith("Error: ")


@pytest.mark.fault("E4")
def test_long_results_are_cut_with_a_word_and_half_characters_replaced():
    assert (
        TOOLS.call(Call("echo", {"x": "y" * 10_000_000})).text == "y" * 40 + "\n[9999960 more characters were cut off]"
    )
    assert TOOLS.call(Call("echo", {"x": "a\ud800"})).text == "a?"


def test_deep_arguments_are_refused_without_a_crash():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ArgumentError, match="nested too deeply"):
        checked({"x": deep}, {"properties": {"x": {"items": {}, "type": "array"}}})


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", {(1, 2): 3}], ids=["object", "set", "bytes", "keys"])
def test_what_a_tool_returns_must_be_plain(value):
    with pytest.raises(TypeError, match="the tool f returned a .* that is no plain data"):
        text_of(value, "f")
    loop = []
    loop.append(loop)
    with pytest.raises(TypeError, match="no plain data"):
        text_of(loop, "f")


SCHEMA = {
    "properties": {
        "unit": {"type": "string", "enum": ["C", "F"]},
        "place": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
        "rows": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}},
        "who": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "or": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "boolean"}], "nullable": True},
        "some": {"type": ["integer", "string"]},
        "any": {},
        "flag": {"type": "integer", "enum": [0, 1]},
    }
}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"unit": "K"}, "'unit' must be one of 'C', 'F'"),
        ({"place": [1]}, "'place' must have 2 items, not 1"),
        ({"place": [1, "x"]}, "item 2 of 'place' must be a number, not a text"),
        ({"rows": [{"a": 1}, {"b": 0.5}]}, "'b' of item 2 of 'rows' must be an integer"),
        ({"who": {}}, "'who' lacks 'name'"),
        ({"who": {"name": "x", "age": 1}}, "'who' has no 'age'"),
        ({"or": ["x"]}, "item 1 of 'or' must be an integer, not a text, or 'or' must be true or false, not a list"),
        ({"some": []}, "'some' must be an integer or a text, not a list"),
        ({"flag": True}, "'flag' must be an integer"),
        ({"unit": 3}, "'unit' must be a text"),
    ],
)
def test_arguments_against_schemas(arguments, says):
    with pytest.raises(ArgumentError) as error:
        checked(arguments, SCHEMA)
    assert says in str(error.value)


def test_arguments_that_hold():
    good = {
        "unit": "C",
        "place": [1, 2.5],
        "rows": [{"a": 1}],
        "who": {"name": ""},
        "or": None,
        "some": "x",
        "any": None,
    }
    assert checked(good, SCHEMA) == good
    assert json.dumps(checked({"flag": 1.0, "any": [1.0]}, SCHEMA)) == '{"flag": 1, "any": [1.0]}'
