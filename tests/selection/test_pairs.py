"""Which answers are compared."""

from __future__ import annotations

from statistics import fmean

import pytest

from posttrain.errors import ConfigError
from posttrain.records import Demonstration, Pair, Sampled
from posttrain.seeds import seed_for
from posttrain.selection.pairs import PAIRINGS, against, mix_replay, pairs, pairs_of_equal_length
from tests.data.rollouts import asked, group, said


def compared(made):
    return [(p.chosen.text, p.rejected.text) for p in made]


def test_best_against_worst_with_their_rewards_and_the_columns_of_the_prompt():
    (made,) = pairs([said(1, t, r, sample=i, prompt=asked(1, answer="x")) for i, (t, r) in enumerate(
        [("a", 0.2), ("b", 0.9), ("c", None), ("d", -1.0)])])  # fmt: skip
    assert (made.chosen, made.rejected) == (Sampled((98,), "b"), Sampled((100,), "d"))
    assert made.columns == {"answer": "x", "chosen_reward": 0.9, "rejected_reward": -1.0}
    assert (made.prompt, made.where) == ("question 1", "file:1")


@pytest.mark.paper("wang20252c7")
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_the_better_answer_comes_first_and_ties_are_no_pairs(pairing):
    answers = [r for n in range(30) for r in group(n, 0.3, 0.1, 0.2) + group(n, 0.15, 0.5, author=1)]
    made = pairs(answers, pairing)
    assert len(made) == 30
    assert all(p.columns["chosen_reward"] > p.columns["rejected_reward"] for p in made)
    assert not pairs(group(1, 0.5, 0.5) + group(1, 0.5, author=1), pairing)
    assert not pairs(group(1, 0.5), pairing)


def test_pairings_differ_in_whom_they_choose():
    answers = [r for n in range(200) for r in group(n, 0.3, 0.1, 0.2) + group(n, 0.15, author=1)]
    chosen = {name: {p.columns["chosen_reward"] for p in pairs(answers, name)} for name in PAIRINGS}
    rejected = {name: {p.columns["rejected_reward"] for p in pairs(answers, name)} for name in PAIRINGS}
    assert chosen["best_and_worst"] == chosen["best_and_random"] == {0.3}
    assert rejected["best_and_worst"] == {0.1}
    assert rejected["best_and_random"] == {0.1, 0.15, 0.2}
    assert chosen["random"] == {0.15, 0.2, 0.3}
    assert (chosen["between_authors"], rejected["between_authors"]) == ({0.3}, {0.15})


def test_random_pairs_are_uniform():
    answers = [said(n, f"{n} {i}", float(i), sample=i) for n in range(3000) for i in range(3)]
    made = [(p.columns["chosen_reward"], p.columns["rejected_reward"]) for p in pairs(answers, "random")]
    for two in ((1.0, 0.0), (2.0, 0.0), (2.0, 1.0)):
        assert made.count(two) == pytest.approx(1000, abs=90)  # 3.5 standard deviations


def test_a_margin_keeps_clear_cases():
    answers = group(1, 0.6, 0.1) + group(2, 0.5, 0.4)
    assert len(pairs(answers, margin=0.2)) == 1


def test_an_unknown_pairing_is_named():
    with pytest.raises(ConfigError, match=r"no pairing 'best_and_wors'.*best_and_worst"):
        pairs(group(1, 0.0, 1.0), "best_and_wors")


def test_a_demonstration_is_preferred_to_own_answers_that_differ_from_it():
    shown = [Demonstration(1, "question 1", "good"), Demonstration(2, "question 2", "same")]
    made = against(shown, [said(1, "bad", None), said(2, "same", None)])
    assert [(p.prompt, p.chosen, p.rejected.text) for p in made] == [("question 1", "good", "bad")]


def length_gap(made):
    return fmean(len(p.chosen.tokens) - len(p.rejected.tokens) for p in made)


@pytest.mark.paper("chen2024vkb")
def test_the_price_of_a_token_makes_both_answers_equally_long():
    """Rewards of length and chance: uncorrected, the preferred answers are much longer."""
    answers = [
        said(n, "x" * (i + 1), 0.3 * i + 2 * seed_for(n, i) / 2**56, sample=i) for n in range(200) for i in range(10)
    ]
    assert length_gap(pairs(answers)) > 3
    assert abs(length_gap(pairs_of_equal_length(answers))) < 0.1
    short = [said(n, "x" * (i + 1), -float(i), sample=i) for n in range(5) for i in range(3)]
    assert compared(pairs_of_equal_length(short)) == compared(pairs(short))


@pytest.mark.paper("chen2024vkb")
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_old_and_new_pairs_have_no_prompt_in_common(share):
    old = [Pair(n, f"question {n}", "a", "b") for n in range(40)]
    new = pairs([r for n in range(20) for r in group(n, 0.0, 1.0)])
    mixed = mix_replay(new, old, share)
    replayed = {p.prompt for p in mixed if isinstance(p.chosen, str)}
    fresh = {p.prompt for p in mixed} - replayed
    assert (len(mixed), len(replayed)) == (20, round(share * 20))
    assert len(fresh) == 20 - len(replayed)
