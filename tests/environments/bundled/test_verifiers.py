"""Tasksets of the package verifiers, with a stand-in for it, and with the package where it is installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from posttrain.environments.bundled import verifiers
from posttrain.environments.bundled.verifiers import Verifiers
from posttrain.environments.environment import Action
from posttrain.errors import ConfigError, MissingExtraError
from tests.environments.playing import play, prompt_of
from tests.environments.verifiers_package import Task, install
from tests.harness.settings import problems

REAL = importlib.util.find_spec("verifiers") is not None


@pytest.fixture(autouse=True)
def _fresh():
    verifiers.taskset.cache_clear()
    yield
    verifiers.taskset.cache_clear()


def test_the_rewards_of_the_taskset_score_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    for task in Verifiers.tasks(4, 1, id="sums"):
        system, user = task["prompt"]
        assert system == {"role": "system", "content": "Add."}
        answer = str(2 * int(user["content"].split()[0]))
        played = play(Verifiers(id="sums"), task, lambda _, a=answer: a)
        assert (played.reward, played.done) == (1.25, True)
        assert played.outcomes[0].info == {"length": float(len(answer))}
        assert play(Verifiers(id="sums"), task, lambda _: "no idea").reward == 0.0


def test_which_tasks_a_seed_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    orders = [[t["index"] for t in Verifiers.tasks(20, seed, id="sums")] for seed in (1, 2)]
    assert orders[0] != orders[1]
    assert [sorted(order) for order in orders] == [list(range(10))] * 2
    endless = [[t["index"] for t in Verifiers.tasks(3, seed, id="sums", config={"endless": True})] for seed in (0, 2)]
    assert endless == [[0, 1, 2], [6, 7, 8]]


@pytest.mark.parametrize(("answer", "message"), [("crash", "the rubric broke"), ("silent", "gave no reward")])
def test_a_rubric_that_fails_is_no_score(answer: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    world = Verifiers(id="sums")
    world.reset(prompt_of(Verifiers.tasks(1, 1, id="sums")[0]), 0)
    with pytest.raises((RuntimeError, ValueError), match=message):
        world.step(Action(answer))


class InContainer(Task):
    NEEDS_CONTAINER = True


class WithTools(Task):
    @classmethod
    def toolsets(cls, config: object) -> list:
        return ["a server"]


class Prepared(Task):
    async def setup(self, trace: object, runtime: object) -> None: ...


class Inspected(Task):
    def right(self, task: object, trace: object, runtime: object) -> float:
        return 1.0


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (InContainer, "runs in a container"),
        (WithTools, "has tool servers"),
        (Prepared, "prepares a container"),
        (Inspected, r"has rewards that read one \(right\)"),
    ],
)
def test_what_one_answer_does_not_solve_is_an_error(
    kind: type[Task], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, odd=kind)
    with pytest.raises(ConfigError, match=f"{message}; it needs that package's agents"):
        Verifiers.tasks(1, 1, id="odd")


def test_what_cannot_be_loaded_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    for settings in ({"id": "stums"}, {"id": "sums", "config": {"colour": 1}}):
        with pytest.raises(ConfigError, match="cannot be loaded"):
            Verifiers.tasks(1, 1, **settings)
    with pytest.raises(ConfigError, match="a simulated user begins"):
        Verifiers.tasks(1, 1, id="sums", config={"prompt": None})
    with pytest.raises(ConfigError, match="has 10 tasks, and none at 10"):
        Verifiers(id="sums").reset(prompt_of({"prompt": "?", "index": 10}), 0)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "verifiers", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[verifiers\]"):
        Verifiers(id="sums")


def test_its_settings() -> None:
    assert not problems(Verifiers)


SUMS = """
from collections.abc import Iterable

import verifiers.v1 as vf
from verifiers.v1.utils.decorators import reward


class SumData(vf.TaskData):
    answer: str = ""


class SumTask(vf.Task[SumData]):
    @reward
    async def right(self, task, trace) -> float:
        return float(trace.last_reply == task.answer)


class Sums(vf.Taskset[SumTask]):
    def load(self) -> Iterable[SumTask]:
        for n in range(5):
            yield SumTask(SumData(prompt=f"{n} + {n}?", answer=str(2 * n)))


__all__ = ["Sums"]
"""


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="the package verifiers is not installed")
def test_a_taskset_of_the_package_scores_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "posttrain_sums.py").write_text(SUMS)
    monkeypatch.syspath_prepend(str(tmp_path))
    for task in Verifiers.tasks(5, 1, id="posttrain_sums"):
        right = str(2 * task["index"])
        assert play(Verifiers(id="posttrain_sums"), task, lambda _, r=right: r).reward == 1.0
        assert play(Verifiers(id="posttrain_sums"), task, lambda _: "?").reward == 0.0
