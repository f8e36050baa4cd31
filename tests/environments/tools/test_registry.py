"""Requests whose right calls fit the functions and can be executed."""

import pytest

from posttrain.data.problem import Draws
from posttrain.environments.environment import Call
from posttrain.environments.tools.call import Toolbox
from posttrain.environments.tools.registry import FUNCTIONS, convert, get_weather, task

BOX = Toolbox(list(FUNCTIONS.values()))


def test_the_right_calls_can_be_executed():
    seen = set()
    for number in range(60):
        asked, offered, calls = task(Draws("test", number), 2)
        assert {call["name"] for call in calls} <= set(offered)
        for call in calls:
            result = BOX.call(Call(call["name"], call["arguments"]))
            assert not result.failed, result
            assert all(str(v) in asked for v in call["arguments"].values() if not isinstance(v, bool))
            seen.add(call["name"])
        assert len(calls) in (1, 2)
    assert seen == set(FUNCTIONS)


def test_what_functions_answer():
    assert convert(2, "km", "mile") == 1.243
    assert convert(2, "kg", "kg") == 2
    with pytest.raises(ValueError, match="km cannot become kg"):
        convert(1, "km", "kg")
    assert get_weather("Rome") == get_weather("rome ", 1) | {"city": "Rome"}
    assert len(get_weather("Rome", 99)["celsius"]) == 14
