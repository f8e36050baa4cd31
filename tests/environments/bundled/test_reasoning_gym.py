"""Problems of Reasoning Gym: with a stand-in of its interface, and with the package where it is installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from posttrain.environments.bundled import reasoning_gym
from posttrain.environments.bundled.reasoning_gym import FAMILIES, ReasoningGym
from posttrain.environments.environment import Action
from posttrain.errors import ConfigError, DataError, MissingExtraError
from tests.environments.playing import play, prompt_of
from tests.harness.settings import problems


@dataclass
class Doubles:
    """A family in the form of the package: entries by index, and a verifier with partial credit."""

    seed: int
    size: int
    factor: int = 2
    config: str = "doubles"

    def __getitem__(self, index: int) -> dict:
        number = self.seed % 100 + index
        return {"question": f"{self.factor} * {number} = ?", "answer": str(self.factor * number), "metadata": {}}

    def score_answer(self, answer: str | None, entry: dict) -> float:
        if answer == "crash":
            raise RuntimeError("the verifier broke")
        if answer == "nan":
            return float("nan")
        return 1.0 if answer == entry["answer"] else 0.01 if answer else 0.0


@pytest.fixture
def _stand_in(monkeypatch: pytest.MonkeyPatch):
    package = ModuleType("reasoning_gym")
    package.factory = ModuleType("factory")
    package.factory.DATASETS = dict.fromkeys(("doubles", "triples", *FAMILIES), Doubles)
    package.create_dataset = lambda name, **settings: package.factory.DATASETS[name](**settings)
    monkeypatch.setitem(sys.modules, "reasoning_gym", package)
    reasoning_gym.dataset.cache_clear()
    yield
    reasoning_gym.dataset.cache_clear()


@pytest.mark.usefixtures("_stand_in")
class TestStandIn:
    families = {"doubles": {}, "triples": {"factor": 3}}

    def test_families_take_turns_with_their_options(self) -> None:
        tasks = ReasoningGym.tasks(4, 1, families=self.families)
        assert [task["family"] for task in tasks] == ["doubles", "triples"] * 2
        assert [task["index"] for task in tasks] == [0, 0, 1, 1]
        assert tasks[1]["prompt"].startswith("3 * ")
        assert tasks == ReasoningGym.tasks(4, 1, families=self.families)
        assert tasks != ReasoningGym.tasks(4, 2, families=self.families)
        assert len({task["family"] for task in ReasoningGym.tasks(25, 1)}) == 25

    @pytest.mark.parametrize(
        ("form", "score"),
        [
            ("<answer>{}</answer>", 1),
            ("<think><answer>0</answer></think>So:\n<answer> {} </answer>", 1),
            ("The answer is \\boxed{{{}}}", 1),
            ("{}", 1),
            ("<answer>0</answer>", 0.01),
            ("<answer>{}</answer> or rather <answer>0</answer>", 0.01),
            ("", 0),
        ],
    )
    def test_the_verifier_of_the_family_scores_the_answer(self, form: str, score: float) -> None:
        for task in ReasoningGym.tasks(4, 1, families=self.families):
            a, b = task["prompt"].split(" = ?")[0].split(" * ")
            text = form.format(int(a) * int(b))
            assert play(ReasoningGym(families=self.families), task, lambda _, t=text: t).reward == score
            exact = play(ReasoningGym(families=self.families, exact=True), task, lambda _, t=text: t)
            assert (exact.reward, exact.done) == (float(score == 1), True)

    @pytest.mark.parametrize("answer", ["crash", "nan"])
    def test_a_verifier_that_fails_is_no_score(self, answer: str) -> None:
        world = ReasoningGym(families=["doubles"])
        world.reset(prompt_of(ReasoningGym.tasks(1, 1, families=["doubles"])[0]), 0)
        with pytest.raises((RuntimeError, ValueError)):
            world.step(Action(answer))

    @pytest.mark.parametrize(
        ("families", "message"),
        [
            (["dobules"], "did you mean 'doubles'"),
            ({"doubles": {"colour": 1}}, "does not take"),
            ([], "write a list of names"),
            ("doubles", "write a list of names"),
        ],
    )
    def test_unknown_families_and_options_are_errors(self, families: object, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            ReasoningGym.tasks(1, 1, families=families)

    def test_a_prompt_that_names_no_problem_is_an_error(self) -> None:
        with pytest.raises(DataError, match="'family'"):
            ReasoningGym().reset(prompt_of({"prompt": "2 + 2?"}), 0)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    reasoning_gym.dataset.cache_clear()
    with pytest.raises(MissingExtraError, match=r"posttrain\[reasoning-gym\]"):
        ReasoningGym.tasks(1, 1)


def test_its_settings() -> None:
    assert not problems(ReasoningGym)


@pytest.mark.slow
def test_gold_answers_of_the_package_have_the_full_score() -> None:
    pytest.importorskip("reasoning_gym")
    for task in ReasoningGym.tasks(2 * len(FAMILIES), 3):
        world = ReasoningGym()
        world.reset(prompt_of(task), 0)
        assert world.step(Action(f"<answer>{world.entry['answer']}</answer>")).reward == 1.0, task["family"]
