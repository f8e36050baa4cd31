"""Environments of gymnasium in words: the actions and rewards are its own."""

from __future__ import annotations

import sys

import pytest

from posttrain.environments.bundled.gymnasium import Gymnasium
from posttrain.errors import ConfigError, MissingExtraError
from tests.environments.playing import play, prompt_of
from tests.harness.settings import problems

gymnasium = pytest.importorskip("gymnasium")
LAKE = {"id": "FrozenLake-v1", "options": {"is_slippery": False}}
TASK = {"prompt": "Play.", "start": 7}


class Counter(gymnasium.Env):
    """Wants its number counted up, and is over after three steps."""

    metadata = {"render_modes": []}
    action_space = gymnasium.spaces.Discrete(2, start=5)
    observation_space = gymnasium.spaces.Box(0, 1, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = self.np_random.random(2, dtype="float32")
        return self.at.copy(), {}

    def step(self, action):
        assert action in (5, 6)
        return self.at.copy(), 0.5 * (action == 6), False, False, {}


@pytest.fixture(scope="module", autouse=True)
def _registered():
    gymnasium.register("Counter-v0", Counter, max_episode_steps=3)
    yield
    del gymnasium.registry["Counter-v0"]


def test_a_way_over_the_ice() -> None:
    moves = iter(["swim", "Right.", "Action: right", "down", "down", "down", "right"])
    played = play(Gymnasium(**LAKE), TASK, lambda _: next(moves))
    assert played.begin[0]["content"] == ("Play.\n\nActions: left, down, right, up.\n[S]FFF\nFHFH\nFFFH\nHFFG")
    assert played.outcomes[0].messages[0]["content"].startswith("There is no such action.")
    assert played.outcomes[1].messages[0]["content"] == "  (Right)\nS[F]FF\nFHFH\nFFFH\nHFFG"
    assert [o.reward for o in played.outcomes] == [0.0] * 6 + [1.0]
    assert played.done


@pytest.mark.paper("000-text:MDP as dialogue")
def test_the_best_player_by_value_iteration_wins() -> None:
    world = Gymnasium(**LAKE)
    played = play(world, TASK, lambda _: world.optimal()[0])
    assert (played.reward, len(played.outcomes)) == (1.0, 6)


@pytest.mark.paper("000-text:MDP as dialogue")
def test_text_and_action_make_a_round_trip() -> None:
    """The same actions by name and by number see and gain the same."""
    ours, theirs = Gymnasium(id="Counter-v0", actions=["Stay", "Count up"]), gymnasium.make("Counter-v0")
    seen, _ = theirs.reset(seed=7)
    text = ours.reset(prompt_of(TASK), 0)[0]["content"]
    assert text == f"Play.\n\nActions: stay, count up.\nYou observe [{seen[0]:.4g}, {seen[1]:.4g}]."
    for name, number in (("count up", 6), ("Stay", 5), ("count up", 6)):
        outcome, (_, reward, _, cut, _) = ours.play(name.casefold()), theirs.step(number)
        assert (outcome.reward, outcome.done) == (reward, cut)
    assert outcome.info == {"cut": True}


def test_starts_come_from_the_task_and_else_from_the_seed() -> None:
    def begin(task: dict, seed: int) -> object:
        return Gymnasium(id="Counter-v0").reset(prompt_of(task), seed)

    assert begin(TASK, 1) == begin(TASK, 2) != begin({**TASK, "start": 8}, 1)
    assert begin({"prompt": "Play."}, 1) != begin({"prompt": "Play."}, 2)
    assert Gymnasium.tasks(3, 1) == Gymnasium.tasks(3, 1) != Gymnasium.tasks(3, 2)


def test_nonsense_gains_nothing() -> None:
    played = play(Gymnasium(id="Counter-v0"), TASK, lambda _: "6", turns=4)
    assert (played.reward, played.done) == (0.0, False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"id": "FrozenLeak-v1"}, "FrozenLeak"),
        ({"id": "FrozenLake-v1", "options": {"ice": 1}}, "cannot be made"),
        ({"id": "Pendulum-v1"}, "not a list"),
        ({"id": "FrozenLake-v1", "actions": ["go"]}, "has 4 actions, and `actions` names 1"),
    ],
)
def test_what_cannot_be_played_is_an_error(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Gymnasium(**settings)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[gymnasium\]"):
        Gymnasium(**LAKE)


def test_its_settings() -> None:
    assert not problems(Gymnasium)
