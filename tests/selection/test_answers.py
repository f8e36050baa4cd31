"""Which answers are kept."""

from __future__ import annotations

from dataclasses import replace
from math import inf, log

import pytest

from posttrain.errors import DataError
from posttrain.records import Demonstration, Episode, Prompt, Sampled, Segment
from posttrain.selection.answers import (
    above,
    best,
    confidence,
    dataset,
    demonstrations,
    different,
    finished,
    identity,
    length_penalised,
    likely,
    quantile,
    quantiles,
    reaching,
    with_prompts,
)
from tests.data.rollouts import group, said


def test_confidence_is_the_mean_over_answers_of_geometric_means():
    def made(*logp):
        return Episode.of_answer(Prompt(0, "x"), 0, 0, (1,), (5,) * len(logp), logp, ended=True)

    assert confidence([made(log(0.5), log(0.125)), made(log(0.75)), made()]) == pytest.approx((0.25 + 0.75) / 2)


def texts(rollouts):
    return [r.text for r in rollouts]


def test_the_best_of_every_prompt_and_ties_go_to_the_earlier_answer():
    answers = group(1, 0.1, 0.9, 0.9) + group(2, 3.0, None, 2.0)
    assert texts(best(answers)) == ["bb", "a"]
    assert texts(best(answers, 2)) == ["bb", "ccc", "a", "ccc"]


def test_a_threshold_is_exceeded_not_reached_and_none_is_no_reward():
    assert texts(above(group(1, 0.0, 0.5, None, 0.51), 0.5)) == ["dddd"]


def test_an_answer_reaches_every_score_that_is_asked_of_it():
    rewards = ({"a": 1.0, "b": 0.5}, {"a": 0.9, "b": 0.5}, {"a": 1.0, "b": 0.4}, {"a": 1.0, "b": None}, {"a": 2.0})
    answers = [replace(r, rewards=x) for r, x in zip(group(1, *[None] * 5), rewards, strict=True)]
    assert reaching(answers, {"a": 1.0, "b": 0.5}) == answers[:1]
    assert reaching(answers, {"a": 1.0}) == [answers[0], *answers[2:]]
    assert reaching(answers, {}) == answers


@pytest.mark.paper("gulcehre2023hz8")
def test_higher_thresholds_keep_part_of_what_lower_ones_keep():
    answers = group(1, 0.3, 0.1, 0.8) + group(2, 0.5, 0.9, 0.2)
    kept = [set(texts(above(answers, t))) for t in (-inf, 0.2, 0.5, 0.8, 0.9)]
    assert all(higher <= lower for lower, higher in zip(kept, kept[1:], strict=False))
    assert not kept[-1]


@pytest.mark.parametrize(("share", "passing"), [(0.0, 10), (0.5, 5), (0.7, 3), (0.9, 1), (1.0, 0)])
def test_a_quantile_lets_its_share_fall_away(share, passing):
    answers = group(1, *(i / 10 for i in (3, 9, 1, 0, 4, 8, 2, 6, 5, 7)))
    assert len(above(answers, quantile(answers, share))) == passing


@pytest.mark.paper("002:Quark")
def test_quantiles_have_equal_size_the_rest_goes_to_the_worst_and_better_newcomers_push_down():
    answers = group(1, *(i / 10 for i in range(10)))
    parts = quantiles(answers, 3)
    assert [len(p) for p in parts] == [3, 3, 4]
    assert min(r.reward for r in parts[0]) > max(r.reward for r in parts[1])
    newcomers = [said(2, f"new {i}", 2.0, sample=i) for i in range(5)]
    assert texts(quantiles(answers + newcomers, 3)[0]) == texts(newcomers)


def test_no_text_twice_and_the_first_of_its_kind_stays():
    answers = [said(1, t, 1.0, sample=i) for i, t in enumerate(["x", "y", "x", "z"])] + [said(2, "x", 1.0)]
    assert [(r.prompt.id, r.text, r.sample) for r in different(answers, 2)] == [(1, "x", 0), (1, "y", 1), (2, "x", 0)]


@pytest.mark.paper("singhal2023egk")
def test_every_token_has_its_price():
    assert [r.reward for r in length_penalised(group(1, 1.0, 1.0, None), 0.25)] == [0.75, 0.5, None]


@pytest.mark.paper("havrilla2024m0y")
def test_finished_answers_of_prompts_that_have_enough():
    cut = said(1, "cut", 1.0, sample=5, ended=False)
    assert texts(finished([*group(1, 1.0), cut, *group(2, 1.0, 2.0)], 2)) == ["a", "bb"]


@pytest.mark.paper("000:[23]")
def test_what_was_answered_with_a_hint_is_learnt_without_it():
    hinted = said(7, "42", 1.0, prompt=Prompt(7, "what? (42)"))
    (learnt,) = demonstrations(with_prompts([hinted], [Prompt(7, "what?")]))
    assert learnt.prompt == "what?"
    assert learnt.completion == Sampled((52, 50), "42")


def test_nothing_to_learn_from_is_an_error_that_says_what_to_do():
    with pytest.raises(DataError, match=r"round 3: no answer was good enough.*sampling\.samples"):
        dataset([], "round 3")


def test_golden_quantiles_are_of_the_scored_answers():
    answers = group(1, 0.5, None, 0.1, 0.9)
    assert [quantile(answers, share) for share in (0.0, 0.2, 1 / 3, 0.5, 1.0)] == [-inf, 0.1, 0.1, 0.5, 0.9]
    with pytest.raises(DataError, match="no answer was scored"):
        quantile(group(1, None), 0.5)


def test_golden_a_demonstration_knows_its_answer_and_its_place():
    first, second = demonstrations(group(1, 0.1, 0.2))
    assert (first.prompt, first.completion, first.where) == ("question 1", Sampled((97,), "a"), "file:1")
    assert isinstance(first.id, int)
    assert first.id != second.id


def of_two_turns(**changed):
    """The policy writes two tokens, an opponent one, the environment one, the policy one more."""
    parts = [
        Segment((5, 6), (-1.0, -2.0), text="a"),
        Segment((9,), (-0.5,), text="o", trained=False),
        Segment((7,), None, author=None, text="?"),
        replace(Segment((8,), (-3.0,), text="b"), **changed),
    ]
    said = ({"role": "user", "content": "question"},)
    return Episode(Prompt(1, "question", where="file:1"), 0, 0, (1, 2), tuple(parts), reward=1.0, conversation=said)


def test_golden_of_an_episode_what_the_model_wrote_is_trained():
    (made,) = demonstrations([of_two_turns()])
    written = (True, True, False, False, True)
    assert made.completion == Sampled((5, 6, 9, 7, 8), "aob", asked=(1, 2), written=written)


def test_golden_an_episode_of_several_rows_is_no_demonstration():
    with pytest.raises(DataError, match=r"file:1: .*set model\.chat_template"):
        demonstrations([of_two_turns(context=(1, 2, 7))])


def test_golden_an_id_is_of_the_question_the_author_the_sample_and_the_text():
    answers = [said(1, "a", 0.0), said(2, "a", 0.0), said(1, "b", 0.0), said(1, "a", 0.0, sample=1)]
    answers.append(said(1, "a", 0.0, author=1))
    assert len({identity(r) for r in answers}) == 5
    assert identity(*answers[:2]) != identity(*answers[1::-1])
    assert isinstance(identity(answers[0]), int)


def test_golden_equal_records_are_trained_on_once():
    one, two = demonstrations(group(1, 0.1, 0.2))
    kept = dataset([one, two, one], "round 3")
    assert (kept.records, kept.name) == ((one, two), "round 3")


def test_golden_records_of_two_sources_that_have_one_id_are_two():
    """Ids of plain files count from 0. The same prompt with the same id is the same record, whose last form counts."""
    one, other, third = (Demonstration(0, text, "a") for text in ("x?", "y?", "z?"))
    again = Demonstration(0, "y?", "b")
    kept = dataset([one, other, third, again], "two files").records
    assert [(r.prompt, r.completion) for r in kept] == [("x?", "a"), ("y?", "b"), ("z?", "a")]
    assert len({r.id for r in kept}) == 3


def test_the_likeliest_answers_by_their_mean_log_prob_in_their_old_order():
    logps = [(-1.0, -1.0), (-0.5, -2.5), (-1.2,), (), (-1.4, -1.4, -1.4)]
    answers = [Episode.of_answer(Prompt(1, "q"), 0, i, (1,), (7,) * len(x), x, True) for i, x in enumerate(logps)]
    kept = lambda share: [e.sample for e in likely(answers, share)]  # noqa: E731
    assert kept(1.0) == [0, 1, 2, 3, 4]
    assert kept(0.8) == [0, 2, 3, 4]
    assert kept(0.6) == [0, 2, 3]
    assert kept(0.4) == [0, 3]
    assert kept(0.0) == []
