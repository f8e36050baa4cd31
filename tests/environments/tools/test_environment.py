"""A tool environment executes calls, answers each, and is over with an answer."""

import pytest

from posttrain.environments.environment import Call
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.environments.tools.parse import parse
from posttrain.records import Prompt


class Shop(ToolEnvironment):
    """Tools that share the state of the episode."""

    tool_seconds = 0.05
    longest_result = 30

    def __init__(self):
        self.items = []

    def tools(self):
        return [self.buy, self.listed]

    def buy(self, item: str) -> str:
        """Buy something."""
        if item == "sword":
            raise PermissionError("not for sale")
        self.items.append(item)
        return f"bought {item}"

    def listed(self) -> list[str]:
        """List what was bought."""
        return self.items

    def score(self, action):
        return float("rice" in self.items and action.ended)


def call(name, **arguments):
    import json

    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def test_an_episode():
    shop = Shop()
    shop.reset(Prompt(0, "Buy rice."), 1)
    outcome = shop.step(parse("I will. " + call("buy", item="rice") + call("listed") + "<tool_call>{</tool_call>"))
    assert outcome.messages == (
        {"role": "tool", "name": "buy", "content": "bought rice", "tool_call_id": "call00000"},
        {"role": "tool", "name": "listed", "content": '["rice"]', "tool_call_id": "call00001"},
        {
            "role": "tool",
            "content": "Error: call 3 cannot be read: Expecting property name enclosed in double quotes at character 2",
            "tool_call_id": "call99000",
        },
    )
    assert (outcome.reward, outcome.done, outcome.info) == (None, False, {"calls": 3, "unread": 1})
    outcome = shop.step(parse(call("buy", item="sword") + call("steal") + call("buy", item="x" * 50)))
    assert [m["content"] for m in outcome.messages] == [
        "Error: buy raised PermissionEr\n[17 more characters were cut off]",
        "Error: there is no tool 'steal'; the tools are buy, listed",
        "bought " + "x" * 23 + "\n[27 more characters were cut off]",
    ]
    assert outcome.info == {"calls": 3, "raised": 1, "unknown": 1}
    assert (shop.step(parse("Done.")).reward, shop.step(parse("Done.")).done) == (1.0, True)
    assert shop.step(parse("Don", ended=False)).reward == 0.0


@pytest.mark.fault("E5")
def test_episodes_share_nothing():
    one, other = Shop(), Shop()
    one.toolbox.call(Call("buy", {"item": "rice"}))
    assert other.toolbox.call(Call("listed", {})).text == "[]"
    assert Shop().step(parse("")).done
