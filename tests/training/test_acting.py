"""Episodes of a policy over lists of actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.data.dataset import Dataset
from posttrain.environments.environment import Outcome
from posttrain.environments.wire import Opening
from posttrain.errors import ConfigError, RewardError
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.rewards.workers.call import Fault
from posttrain.roles.choices import Choices
from posttrain.training.acting import _drawn, act, normalisation
from tests.harness.runs import SUMS

ASKED = {"role": "user", "content": "Left or right?"}
PROMPTS = [Prompt(i, "Walk.") for i in range(3)]


class Corridor:
    """In place of the processes: right, right is worth 1; a fall is a fault of the environment."""

    def __init__(self, falls: tuple[int, ...] = (), choices: tuple[str, ...] = ("left", "right")) -> None:
        self.falls, self.choices = falls, choices
        self.at: dict[int, int] = {}
        self.said: list[tuple[int, Any]] = []
        self.abandoned = False

    def begin(self, key: int, prompt: Prompt, seed: int) -> None:
        self.at[key] = 0
        self.said.append((key, Opening((ASKED,), (), self.choices)))

    def step(self, key: int, action: Any) -> None:
        self.at[key] += action.content == "right"
        done = self.at[key] == 2
        outcome = Outcome(() if done else (ASKED,), float(done), done, choices=() if done else self.choices)
        self.said.append((key, Fault("raised", "it fell") if key in self.falls else outcome))

    def ready(self, *, block: bool) -> list[tuple[int, Any]]:
        said, self.said = self.said, []
        return said

    def abandon(self) -> None:
        self.abandoned = True


class Scripted:
    """A run whose policy finds `right` three times as likely as `left`."""

    def __init__(self, hosts: Any, turns: int = 4, max_error_rate: float = 0.5) -> None:
        self.hosts, self.asked, self.begin = hosts, [], ()
        section = load({"model": "tiny", "environment": {"path": "gridworld_text", "max_turns": turns}, **METHOD})
        section.scoring.__dict__["max_error_rate"] = max_error_rate
        self.file = section

    def seed(self, *names: Any) -> int:
        from posttrain.seeds import seed_for

        return seed_for(0, *names)

    def speaker(self, role: str) -> Any:
        assert role == "policy"
        return self

    def choices(self, conversations: Any, options: Any) -> list[Choices]:
        self.asked.append([len(c) for c in conversations])
        return [Choices(own, tuple((-1.0,) if text == "left" else (-0.2, -0.2) for text in own)) for own in options]


METHOD: dict[str, Any] = {"method": "online/grpo", "data": SUMS}


def played(run: Any, **how: Any) -> list[dict[str, Any]]:
    return act(run, "walk", PROMPTS, **{"samples": 2, "by": "sum", "greedy": False, **how})


def test_every_decision_is_told_with_what_it_earned() -> None:
    run = Scripted(Corridor())
    made = played(run, greedy=True)
    assert [(d["moment"], d["chosen"], d["reward"]) for d in made] == [(0, 1, 0.0), (1, 1, 1.0)] * 6
    assert len({d["id"] for d in made}) == 12
    assert len({d["episode"] for d in made}) == 6
    assert made[1]["prompt"] == [ASKED, {"role": "assistant", "content": "right"}, ASKED]
    assert run.asked == [[1] * 6, [3] * 6]
    assert run.hosts.abandoned


def test_actions_are_drawn_with_their_probabilities() -> None:
    made = [d for d in played(Scripted(Corridor(), turns=1), samples=300) if d["moment"] == 0]
    share = sum(d["chosen"] for d in made) / len(made)
    assert share == pytest.approx(0.646, abs=0.05)  # e^-0.4 / (e^-0.4 + e^-1)
    by_token = played(Scripted(Corridor(), turns=1), samples=300, by="token")
    assert sum(d["chosen"] for d in by_token) / len(by_token) == pytest.approx(0.690, abs=0.05)
    assert played(Scripted(Corridor())) == played(Scripted(Corridor()))


def test_draws() -> None:
    assert [_drawn([0.25, 0.5, 0.25], x) for x in (0.0, 0.2499, 0.25, 0.7499, 0.75, 1.0)] == [0, 0, 1, 1, 2, 2]


def test_an_episode_ends_with_the_limit_of_turns() -> None:
    assert [d["moment"] for d in played(Scripted(Corridor(), turns=1), greedy=True)] == [0] * 6


def test_an_episode_that_fails_leaves_no_decision() -> None:
    whole, made = played(Scripted(Corridor())), played(Scripted(Corridor(falls=(0,))))
    assert made == [d for d in whole if d["episode"] != whole[0]["episode"]]
    with pytest.raises(RewardError, match=r"3 of 6 episodes failed. The first failure: it fell"):
        played(Scripted(Corridor(falls=(0, 1, 2)), max_error_rate=0.4))


def test_what_cannot_be_chosen_from() -> None:
    with pytest.raises(ConfigError, match="lists no actions to choose from"):
        played(Scripted(Corridor(choices=())))
    with pytest.raises(ConfigError, match="no environment to act in"):
        played(Scripted(None))


def test_a_method_says_how_actions_are_scored() -> None:
    assert normalisation("online/glam", {}, None) == "sum"
    assert normalisation("online/glam", {"normalise": "token"}, None) == "token"
    for method, changes in (("online/ppo", {}), ("online/twosome", {"policy.normalise": "token"})):
        with pytest.raises(ConfigError, match="does not say in one way how actions are scored"):
            normalisation(method, changes, None)


@pytest.mark.parametrize("method", ["online/glam", "online/twosome"])
def test_what_was_played_is_trained_on(tmp_path: Path, method: str) -> None:
    environment = {"path": "gridworld_text", "max_turns": 2, "workers": 1}
    run = load({"model": "tiny", "environment": environment, **METHOD, "output": str(tmp_path)})
    asked = Prompt(1, "Walk.", {"map": "S.G"})
    with open_session(run) as session:
        made = session.act("first", [asked], samples=4)
        metrics = session.train(
            method, Dataset(tuple(made), "first"), rewards=(), steps=1, prompts_per_step=len(made), learning_rate=1e-3
        )
        assert {d.choices for d in made if d.moment == 0} == {("east",)}
        assert metrics["grad_norm"] > 0
        assert metrics["kl"] == pytest.approx(0, abs=1e-6) or method == "online/glam"
