"""A solver as verifier: texts that must score 1, near misses, and hostile ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from posttrain.data.generators import linear_programmes
from posttrain.errors import MissingExtraError
from posttrain.rewards.bundled.solver import _right, solver
from tests.harness.runs import metrics, run

pytestmark = pytest.mark.paper("chen2025vp2")
MODEL = "max\n 3 x + 2 y\nsubject to\n c1: x + y <= 4\n c2: x + 3 y <= 6\nbounds\n x <= 3\nend\n"  # 11 at (3, 1)
NONE = "min\n x\nst\n c: x >= 2\n d: x <= 1\nend\n"


def block(model: str, language: str = "lp") -> str:
    return f"The model is\n```{language}\n{model}```\nas I said."


class TestWithHighs:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("highspy", reason="the extra solver is not installed")

    def test_the_right_optimum_scores_whatever_the_model_looks_like(self):
        other = (
            "min\n - 3 apples - 2 pears\nst\n apples + pears <= 4\n apples + 3 pears <= 6\nbounds\n apples <= 3\nend\n"
        )
        assert solver([block(MODEL), block(other)], [11.0, -11.0]) == [1.0, 1.0]
        assert solver([block("max\n x + y\nst\n 2 x + 2 y <= 5\ngeneral\n x y\nend\n")], ["2"]) == [1.0]
        assert solver([block(NONE + "\n").replace("lp", "LP")], ["infeasible"]) == [1.0]

    def test_an_optimum_of_zero_is_a_number_like_any_other(self):
        assert solver([block("min\n x\nst\n x + y >= 0\nend\n")] * 2, [0.0, 1e-3]) == [1.0, 0.0]

    def test_near_misses_and_hostile_answers(self):
        texts = [
            "11",  # no model
            f"```lp\n{MODEL}",  # no end
            block("11"),
            block("min\n x\nst\n x >= 11\nend\n"),  # another model of the same optimum is right: the solver cannot know
            block(MODEL) + block("max\n x\nst\n x >= 2\nend\n"),  # the last one counts, and it has no bound
            block(NONE),
            block("../../etc/passwd\n"),
            block("import os\nos.system('ls')\n", "python"),
            block("\0" * 50),
        ]
        assert solver(texts, [11.0] * len(texts)) == [0, 0, 0, 1, 0, 0, 0, 0, 0]
        assert solver([block(MODEL)], ["infeasible"]) == [0.0]

    def test_a_model_that_is_solved_has_a_credit_of_its_own(self):
        texts = [block(MODEL), block(MODEL), block(NONE), "none"]
        assert solver(texts, [11.0, 12.0, "infeasible", 11.0], solved=0.25) == [1.25, 0.25, 1.0, 0.0]

    def test_nothing_is_said_where_nobody_knows_the_optimum(self):
        assert solver([block(MODEL), block(MODEL)], [None, 11.0]) == [None, 1.0]

    def test_the_answers_to_the_bundled_programmes_are_right_and_those_that_minimise_are_solved_but_wrong(self):
        problems = [linear_programmes.make(i, 0, level) for level in linear_programmes.LEVELS for i in range(5)]
        wanted = [p.columns["objective"] for p in problems]
        assert solver([p.answer for p in problems], wanted) == [1.0] * 10
        assert solver([p.wrong for p in problems], wanted, solved=0.5) == [0.5] * 10

    def test_programmes_train_through_the_recipe(self, tmp_path):
        result = run(
            Path(__file__).parents[2] / "recipes" / "smollm2_sirl.yaml", tmp_path, "model=tiny",
            "procedure.sft={steps: 1, prompts_per_step: 1}",
            "procedure.then={steps: 1, prompts_per_step: 1, settings: {kl_within: parts}}",
            "data.demonstrations=linear_programmes:chat=false,size=2", "sampling.max_tokens=4", "sampling.samples=2",
            "data.prompts=linear_programmes:chat=false,size=2", "evaluate=null", "scoring.workers=0",
            "train.save_minutes=0",
        )  # fmt: skip
        assert metrics(result)[-1]["rewards/parts/mean"] == -1.0
        assert metrics(result)[-1]["rewards/solver/mean"] == 0.0


def test_golden_of_the_tolerance():
    """An error of 1e-4 of 99 is 1e-6 of 99 + 1."""
    assert _right(99.00009, 99.0, 1e-6)
    assert not _right(99.00011, 99.0, 1e-6)
    assert not _right(-99.0, 99.0, 1e-6)
    assert not _right(None, 0.0, 1e-6)
    with pytest.raises(ValueError, match="must be a finite number, infeasible, or null"):
        _right(1.0, "nan", 1e-6)


def test_without_the_extra_there_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[solver\]"):
        solver(["x"], [1.0])
