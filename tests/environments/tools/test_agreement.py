"""Agreement of calls: canonical, as a multiset, or by their results."""

import pytest

from posttrain.environments.environment import Call
from posttrain.environments.tools.agreement import accuracy, agreeing, gold_calls


def f(**arguments):
    return Call("f", arguments)


def test_the_order_of_calls_and_arguments_does_not_count():
    one, other = Call("f", {"a": 1, "b": {"x": 1, "y": 2}}), Call("f", {"b": {"y": 2, "x": 1}, "a": 1})
    assert agreeing([one, f(a=2)], [f(a=2), other]) == 2
    assert agreeing([f(a="  New york")], [f(a="new York ")]) == 1
    assert agreeing([f(a=3.0)], [f(a=3)]) == 1
    for different in (f(a=True), f(a="1"), f(a=[1]), f(a=1, b=None), Call("g", {"a": 1}), f(a=1.5), f(A=1)):
        assert agreeing([different], [f(a=1)]) == 0
    assert agreeing([f(a=[1, 2])], [f(a=[2, 1])]) == 0


def test_each_call_has_one_partner():
    assert agreeing([f(a=1)] * 3, [f(a=1)] * 2) == 2
    assert accuracy([f(a=1)] * 3, 0, [f(a=1)] * 2) == pytest.approx(2 / 3)
    assert accuracy([f(a=1)], 1, [f(a=1)]) == 0.5
    assert accuracy([], 0, [f(a=1)]) == 0
    assert accuracy([], 0, []) == 1
    assert accuracy([f()], 0, []) == 0


def test_calls_with_the_same_result_agree():
    run = lambda call: call.arguments.get("a", 1)  # noqa: E731
    assert agreeing([f(), f(a=2)], [f(a=1), f(a=2)], run) == 2
    assert agreeing([f()], [f(a=2)], run) == 0
    assert agreeing([Call("g", {})], [f(a=1)], run) == 0
    assert agreeing([f(), f()], [f(a=1)], run) == 1


def test_gold_calls():
    assert gold_calls('[{"name": "f", "arguments": {"a": 1}}, {"name": "g"}]') == [f(a=1), Call("g", {})]
    for wrong in ("{}", [1], None, [{"arguments": {}}]):
        with pytest.raises(ValueError):
            gold_calls(wrong)
