"""Reranking through a session: what is drawn, by what it is chosen, and what happens where a score is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from posttrain.catalogue.index import load_choice
from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.errors import ConfigError, RewardError
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.rewards.reward import resolve
from posttrain.training.reranking import comparable
from posttrain.training.session import Session


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with open_session(
        load({"model": "tiny", "sampling": {"max_tokens": 4}, "scoring": {"workers": 0}}, complete=False), write=False
    ) as opened:
        yield opened


def length(completions):
    return [float(len(set(c))) for c in completions]


def scarce(completions, *, most: int = 1):
    return [None if len(set(c)) > most else 1.0 for c in completions]


def overlap(completions, reference):
    return [len(set(c) & set(r)) / max(1, len(set(r))) for c, r in zip(completions, reference, strict=True)]


VOTES = ["\\boxed{9}", "#### 12", "#### 12.0", "#### 345"]
PROMPTS = [Prompt(i, f"{i}+1=", {"reference": "none of theirs"}) for i in range(2)]


def test_every_n_answers_become_the_best_of_them(session):
    answers = session.sample(PROMPTS, Sampling(samples=6))
    given = session.rerank(answers, load_choice("best_of_n", {"n": 3}), resolve(length))
    assert [e.prompt.id for e in given] == [0, 0, 1, 1]
    for k, e in enumerate(given):
        assert len(set(e.text)) == max(len(set(a.text)) for a in answers[3 * k : 3 * k + 3])
        assert e.reward is None


def test_votes_are_for_final_answers_and_weigh_the_reward(session):
    drawn = session.sample(PROMPTS[:1], Sampling(samples=4))
    answers = [replace(e, segments=(replace(e.segments[0], text=t),)) for e, t in zip(drawn, VOTES, strict=True)]
    (given,) = session.rerank(answers, load_choice("weighted_vote", {"n": 4}), resolve(length))
    assert given.text == VOTES[1]  # 12 and 12.0 have 4 + 6 characters, the best answer has 9


@pytest.mark.paper("ramos20236pc")
def test_minimum_bayes_risk_puts_the_other_answers_in_the_place_of_the_reference(session):
    answers = session.sample(PROMPTS, Sampling(samples=4))
    given = session.rerank(answers, load_choice("mbr", {"n": 4}), resolve(overlap))
    for k, e in enumerate(given):
        texts = [a.text for a in answers[4 * k : 4 * k + 4]]
        means = [sum(overlap([a] * 4, texts)) for a in texts]
        assert e.text == texts[means.index(max(means))]
        assert e.prompt == PROMPTS[k]


def test_an_evaluation_draws_n_answers_for_each(session):
    best = {"choice": load_choice("best_of_n", {"n": 4}), "by": resolve(length), "temperature": 1.0}
    one = session.evaluate(PROMPTS, [resolve(length)], temperature=1.0)
    chosen = session.evaluate(PROMPTS, [resolve(length)], **best)
    assert len(chosen.rollouts) == len(PROMPTS)
    assert chosen.mean >= one.mean


def test_what_cannot_be_scored_is_not_chosen(session):
    answers = session.sample(PROMPTS[:1], Sampling(samples=3))
    with pytest.raises(RewardError, match="no answer to a prompt was scored"):
        session.rerank(answers, load_choice("best_of_n", {"n": 3}), resolve({"path": scarce, "most": 0}))
    with pytest.raises(ConfigError, match="with one column for the reference"):
        session.rerank(answers, load_choice("mbr", {"n": 3}), resolve(length))


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ([], []),
        ([[1.0, 0.5], [0.5, 1.0]], [0, 1]),
        ([[1.0, None, 0.5], [None, None, None], [0.5, None, 1.0]], [0, 2]),  # the second cannot be read
        ([[1.0, 0.5, 0.2], [0.5, 1.0, None], [0.2, 0.1, 1.0]], [0, 2]),  # one failure: the earlier of the two
        ([[None]], []),
    ],
)
def test_one_answer_that_cannot_be_read_leaves_the_others(table, kept):
    assert comparable(table) == kept


def test_answers_that_are_compared_are_not_lost_with_one_that_cannot_be(session):
    """`math_answer` reads no number in some answers, neither as an answer nor as a reference."""

    def alike(completions, reference):
        pairs = zip(completions, reference, strict=True)
        return [None if min(len(set(c)), len(set(r))) > 2 else float(c == r) for c, r in pairs]

    answers = session.sample(PROMPTS, Sampling(samples=16))
    read = [len(set(a.text)) <= 2 for a in answers]
    assert any(read[:16])
    assert any(read[16:])
    assert not all(read)
    given = session.rerank(answers, load_choice("mbr", {"n": 16}), resolve(alike))
    assert all(len(set(e.text)) <= 2 for e in given)
