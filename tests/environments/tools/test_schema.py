"""Schemas against transformers' own, and errors that name the place."""

from enum import Enum
from typing import Any, Literal, Optional, TypedDict

import pytest
from transformers.utils import get_json_schema

from posttrain.environments.tools.schema import schema_of, schemas_of
from posttrain.errors import ConfigError


class Unit(Enum):
    C = "celsius"
    F = "fahrenheit"


def everything(
    city: str,
    days: int,
    wind: float,
    sun: bool,
    tags: list[str],
    hours: list[list[int]],
    names: dict[str, float],
    bare: dict,
    rows: list,
    place: tuple[float, float],
    unit: Unit,
    level: Literal["low", "high"],
    mixed: Literal["a", 1, None],
    either: int | str,
    perhaps: Optional[int],  # noqa: UP045 -- as people write it
    nested: list[int] | dict[str, int] | None,
    anything: Any,
    limit: int = 3,
):
    """Forecast the weather.

    It takes
    two lines.

    Args:
        city: its name, such as
            Paris: a city
        days: d
        wind: w
        sun: s
        tags: t
        hours: h
        names: n
        bare: b
        rows: r
        place: p
        unit: u
        level: l
        mixed: m
        either: e
        perhaps: p
        nested: n
        anything: a
        limit: l

    Returns:
        Text.
    """


def test_schemas_are_those_of_transformers():
    expected = get_json_schema(everything)
    expected["function"].pop("return", None)
    assert schema_of(everything) == expected


def test_what_transformers_does_not_read():
    """Descriptions with types, parameters without one, methods, typed dictionaries."""

    class Place(TypedDict):
        lat: float
        lon: float

    class Weather:
        def at(self, place: Place, day: int = 0) -> str:
            """Forecast.

            Args:
                place (Place): where
            """

    assert schema_of(Weather().at)["function"] == {
        "name": "at",
        "description": "Forecast.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {
                    "type": "object",
                    "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}},
                    "additionalProperties": False,
                    "required": ["lat", "lon"],
                    "description": "where",
                },
                "day": {"type": "integer"},
            },
            "required": ["place"],
        },
    }


def test_a_schema_is_returned_as_it_is():
    inner = {"name": "add", "parameters": {"type": "object", "properties": {}}}
    whole = {"type": "function", "function": inner}
    assert schema_of(inner) == schema_of(whole) == whole
    assert schemas_of([whole]) == [whole]


def no_docstring(a: int): ...


def no_type(a):
    """Say."""


def star(*numbers: int):
    """Say."""


def custom(a: list[bytes]):
    """Say."""


def unknown(a: "Nowhere"):  # noqa: F821
    """Say."""


def stale(a: int):
    """Say.

    Args:
        b: what was a once
    """


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        (no_docstring, "the tool no_docstring has no docstring"),
        (no_type, "the tool no_type: parameter 'a' has no type; write one, such as a: str"),
        (star, "parameter 'numbers' cannot be passed by its name"),
        (custom, "parameter 'a' has the type bytes, which no JSON describes; use str"),
        (unknown, "its types cannot be read"),
        (stale, "describes b, which are no parameters"),
        (lambda a: a, "give the tool a name"),
        ({"parameters": {}}, "has no name"),
    ],
)
def test_errors_name_file_function_and_parameter(tool, says):
    with pytest.raises(ConfigError, match=says) as error:
        schema_of(tool)
    assert isinstance(tool, dict) or "test_schema.py:" in str(error.value)


def test_two_tools_of_one_name():
    with pytest.raises(ConfigError, match="two tools are called 'everything'"):
        schemas_of([everything, everything])
