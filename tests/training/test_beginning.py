"""Forced beginnings: what every answer and every turn begins with is read, written down, and never trained."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.data.collate import episode_row, episode_rows
from posttrain.errors import ConfigError
from posttrain.launch.run import open_session
from posttrain.records import Episode, Prompt
from posttrain.rewards.credits import turn_credits, turn_values
from posttrain.search.found import Found
from posttrain.search.search import Search
from posttrain.search.strategies.self_consistency import self_consistency
from posttrain.selection.chains import turns_of
from posttrain.training.playing import described
from posttrain.training.session import Session
from posttrain.turns import turn_ends
from tests.training.test_playing import FORGETS, GRPO, open_one, plain, tasks, wrong  # noqa: F401

BEGIN = "<b>"
ONE = Prompt(0, "1+1=")


def session(begin: str = BEGIN, **changes: Any) -> Session:
    content: dict[str, Any] = {"model": "tiny", "sampling": {"max_tokens": 8, "begin": begin}, **changes}
    return open_session(load(content, complete=False), write=False)


def as_drawn(e: Episode) -> Episode:
    """Without the log-probs that were not drawn."""
    return replace(e, segments=tuple(replace(s, logp=None) if s.guided else s for s in e.segments))


def check(session: Session, e: Episode) -> None:
    forced, drawn = e.segments[:2]
    assert (forced.text, forced.trained, forced.author) == (BEGIN, False, drawn.author)
    assert e.text.startswith(BEGIN)
    assert forced.logp == (0.0,) * len(forced.tokens)
    assert session.run.encoder.text(e.tokens[: len(session.run.begin) + len(drawn.tokens)]) == BEGIN + drawn.text


def test_an_answer_goes_on_behind_it(plain):  # noqa: F811
    with session() as made:
        (e,) = made.sample([ONE], Sampling(temperature=1.0))
        (greedy,) = made.sample([ONE], Sampling(temperature=0.0))
        check(made, e)
        assert len(e.tokens) <= 8
        assert e.tokens[: len(made.run.begin)] == made.run.begin
        assert wrong(plain, as_drawn(e)) < 2e-5
        row = episode_row(e, train=True, temperature=1.0, step=0)
        assert sum(row.trained) == len(e.segments[1].tokens)
        assert sum(row.written) == len(e.tokens)
    with session("") as usual:
        (same,) = usual.sample([Prompt(0, "1+1=" + BEGIN)], Sampling(temperature=0.0), max_tokens=5)
    assert greedy.segments[1].tokens == same.tokens


def test_every_turn_of_an_episode_begins_with_it(plain):  # noqa: F811
    with open_session(load({**GRPO, "sampling": {"max_tokens": 6, "begin": BEGIN}}), write=False) as made:
        (e,) = made.sample(tasks(3))
        check(made, e)
        assert [s.text for s in e.segments if s.guided] == [BEGIN] * 3
        assert [m["content"][:3] for m in e.conversation if m["role"] == "assistant"] == [BEGIN] * 3
        assert wrong(plain, as_drawn(e)) < 2e-5
        (row,) = episode_rows(e, train=True, temperature=1.0, step=0, wanted=("turn",))
        behind = row.columns["turn"][len(e.prompt_tokens) :]
        assert sorted(set(behind)) == [0, 1, 2]
        assert described([e])["environment/turns"] == 3
        assert turn_values(e, turn_credits(e, [1.0, 2.0, 3.0])) == [1.0, 2.0, 3.0]
        assert [t.said.tokens for t in turns_of(e)] == [made.run.begin + s.tokens for s in e.segments[1::3]]
        assert sum(row.trained) == sum(len(s.tokens) for s in e.segments if s.author == 0 and not s.guided)


def test_where_turns_are_rewritten_each_row_begins_its_turn_with_it(tmp_path):
    (tmp_path / "forgets.jinja").write_text(FORGETS)
    model = {"path": "tiny", "chat_template": str(tmp_path / "forgets.jinja")}
    with open_session(load({**GRPO, "model": model, "sampling": {"max_tokens": 6, "begin": BEGIN}}), write=False) as s:
        (e,) = s.sample(tasks(3))
        assert [x.context is None for x in e.segments] == [True, True, False, True, False, True]
        assert turn_ends(e) == (1, 3, 5)
        rows = episode_rows(e, train=True, temperature=1.0, step=0, wanted=("turn",))
        assert [set(r.columns["turn"][-len(x.tokens) :]) for r, x in zip(rows, e.segments[1::2], strict=True)] == [
            {0}, {1}, {2}
        ]  # fmt: skip


def test_a_search_grows_behind_it():
    with session() as made:
        strategy = Search("self_consistency", self_consistency, (("n", 2),))
        (found,) = made.search("trees", [ONE], strategy, lambda _, nodes: [None] * len(nodes), Sampling())
        answer = found.episode(found.best)
        check(made, answer)
        assert len(answer.tokens) <= 8
    again = Found.restored(json.loads(json.dumps(found.state())), {0: ONE})
    assert again.forced == found.forced
    assert again.last_step(found.best).prompt_tokens[-len(answer.segments[0].tokens) :] == answer.segments[0].tokens


WRONG = {
    "the end of a turn": ({"begin": "a<|end|>"}, "ends or marks turns"),
    "as long as an answer": ({"begin": "12345678"}, "nothing could follow"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_nothing_could_follow_is_refused(wrong):
    settings, says = WRONG[wrong]
    with pytest.raises(ConfigError, match=says):
        session(sampling={"max_tokens": 8, **settings})


def test_guides_begin_answers_themselves():
    run = {**GRPO, "method": "online/ppo_plus_plus", "sampling": {"max_tokens": 6, "begin": BEGIN}}
    del run["environment"]
    run["data"] = "arithmetic:chat=false,size=4"
    run["rewards"] = ["exact_match"]
    with open_session(load(run), write=False) as made, pytest.raises(ConfigError, match="a guide begins or ends"):
        made.train(run["method"], made.dataset(made.run.file.data["main"], "prompts"), steps=1)


def test_actions_of_a_list_are_not_begun():
    run = {**GRPO, "environment": {"path": "gridworld_text"}, "sampling": {"begin": BEGIN}}
    with open_session(load(run), write=False) as made, pytest.raises(ConfigError, match="takes actions from a list"):
        made.act("walks", tasks(1), samples=1, by="sum")
