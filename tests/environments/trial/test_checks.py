"""What the checks find in environments that do harm, each in its own way."""

import itertools

import pytest

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.environments.tools.schema import schemas_of
from posttrain.environments.trial.checks import Played, checks
from posttrain.environments.wire import Opening
from posttrain.records import Prompt
from posttrain.rewards.workers.call import Fault

PROMPTS = [Prompt(0, "Hello"), Prompt(1, "Bye")]


class Polite(Environment):
    def step(self, action: Action) -> Outcome:
        return Outcome(({"role": "user", "content": f"You said {action.text[:20]!r}."},), 0.5)


class Fragile(Polite):
    def step(self, action):
        return Outcome(({"role": "user", "content": str(int(action.calls[0].arguments["a"]) if action.calls else 1)},))

    def tools(self):
        return [{"name": "f", "parameters": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}]


class Moody(Polite):
    moods = itertools.count()

    def step(self, action):
        return Outcome(({"role": "user", "content": str(next(self.moods))},), done=False)


class Honest(Moody):
    replays = False


class Short(Polite):
    lengths = itertools.count()

    def step(self, action):
        return Outcome(done=True) if next(self.lengths) == 3 else Outcome(({"role": "user", "content": "."},))


class Broken(Polite):
    def reset(self, prompt, seed):
        raise KeyError("secret")


class Failing(Polite):
    def step(self, action):
        raise KeyError("map")


class Tools(ToolEnvironment):
    def tools(self):
        return [self.add]

    def add(self, a: int, b: int = 1) -> int:
        """Add."""
        return a + b


def play_of(made):
    """Play in this process."""

    def play(prompt, seed, actions):
        played, world = Played(), made()
        try:
            messages = tuple(world.reset(prompt, seed))
            played.opening = Opening(messages, tuple(schemas_of(world.tools())))
            for action in actions:
                played.outcomes.append(world.step(action))
                if played.outcomes[-1].done:
                    break
        except Exception as error:
            played.fault = Fault("raised", f"{type(error).__name__}: {error}")
        return played

    return play


@pytest.mark.parametrize(
    ("made", "verdicts"),
    [
        (Polite, {"begins": True, "plays": True, "repeats": True, "withstands": True, "rewards": True}),
        (Tools, {"begins": True, "plays": True, "repeats": True, "withstands": True, "rewards": None}),
        (Fragile, {"begins": True, "plays": True, "repeats": True, "withstands": False, "rewards": None}),
        (Moody, {"begins": True, "plays": True, "repeats": False, "withstands": True, "rewards": None}),
        (Honest, {"begins": True, "plays": True, "repeats": None, "withstands": True, "rewards": None}),
        (Short, {"begins": True, "plays": True, "repeats": False, "withstands": True, "rewards": None}),
        (Failing, {"begins": True, "plays": False, "repeats": True, "withstands": False, "rewards": None}),
        (Broken, {"begins": False}),
    ],
)
def test_verdicts(made, verdicts):
    found = checks(made, PROMPTS, play_of(made))
    assert {check.name: check.holds for check in found} == verdicts
    assert all(check.remedy for check in found if check.holds is False)


def test_what_is_said():
    found = {c.name: c.found for c in checks(Tools, PROMPTS, play_of(Tools))}
    assert found["begins"] == "2 prompts, tools add"
    assert "the same seed and actions gave another answer in turn 1" in str(checks(Moody, PROMPTS, play_of(Moody)))
    assert "KeyError: 'map'" in str(checks(Failing, PROMPTS, play_of(Failing)))
