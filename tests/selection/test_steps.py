"""Answers as steps, and how often their beginnings lead to a right answer."""

from dataclasses import replace

import pytest

from posttrain.errors import DataError
from posttrain.records import Prompt
from posttrain.seeds import seed_for
from posttrain.selection.answers import identity
from posttrain.selection.steps import beginnings, in_steps, with_rates
from tests.harness.scripted_session import episode

ASKED = Prompt(1, "x?", {"answer": "4"}, "file:1")
ANSWER = episode(ASKED, "one\n\ntwo\nthree", 1.0)


def finished(*rewards):
    """Completions of the first beginning."""
    partial = beginnings(ANSWER)[0]
    return [episode(partial, "…", r, sample=i) for i, r in enumerate(rewards)]


def test_lines_are_steps_and_every_beginning_is_a_prompt_with_the_columns_of_the_first():
    solution = in_steps(ANSWER)
    assert solution.steps == ("one", "two", "three")
    assert (solution.where, solution.id) == ("file:1", identity(ANSWER))
    assert in_steps(episode(ASKED, "\n", 0.0)) is None
    partial = beginnings(ANSWER)
    assert [p.prompt for p in partial] == ["x?one\n", "x?one\ntwo\n"]
    assert all(p.columns == ASKED.columns and p.where == ASKED.where for p in partial)
    assert [p.id for p in partial] == [seed_for("beginning", identity(ANSWER), n) for n in (1, 2)]


@pytest.mark.parametrize(("hard", "share"), [(False, 1 / 4), (True, 1.0)])
def test_the_label_of_a_step_is_the_share_of_right_completions_and_of_the_last_the_answer_itself(hard, share):
    made = with_rates(ANSWER, finished(0.0, 0.2, 1.0, 0.5, None), above=0.5, hard=hard)
    assert made.labels == (pytest.approx(share), None, 1.0)
    for reward in (0.2, 0.5):
        assert with_rates(replace(ANSWER, reward=reward), [], above=0.5, hard=hard).labels == (None, None, 0.0)


def test_an_answer_without_any_label_is_left_out_and_a_conversation_cannot_be_continued():
    assert with_rates(replace(ANSWER, reward=None), [], above=0.0, hard=False) is None
    talk = Prompt(1, ({"role": "user", "content": "x?"},), {}, "file:1")
    with pytest.raises(DataError, match="file:1: beginnings of answers can be continued only"):
        beginnings(episode(talk, "a\nb", 1.0))
