"""Which answers are compared."""

from __future__ import annotations

from statistics import fmean

import pytest

from posttrain.errors import ConfigError
from posttrain.records import Demonstration, Pair, Sampled
from posttrain.seeds import seed_for
from posttrain.selection.answers import identity
from posttrain.selection.pairs import (
    PAIRINGS,
    against,
    all_pairs,
    labels,
    mix_replay,
    pair,
    pairs,
    pairs_of_equal_length,
    unlabelled,
)
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


def test_golden_an_unknown_pairing_is_named():
    known = "best_and_worst, best_and_random, random, between_authors"
    with pytest.raises(
        ConfigError, match=rf"no pairing 'best_and_wors' \(did you mean 'best_and_worst'.*there are {known}"
    ):
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


# ---- golden


def test_golden_the_two_ends_and_a_margin_that_is_exceeded():
    answers = group(1, 0.5, 1.0, 0.25) + group(2, 0.0, 0.75) + group(3, 9.0)
    assert compared(pairs(answers)) == [("bb", "ccc"), ("bb", "a")]
    assert compared(pairs(answers, margin=0.7)) == [("bb", "ccc"), ("bb", "a")]
    assert compared(pairs(answers, margin=0.75)) == []
    assert compared(pairs(group(1, 0.5, 0.5))) == []


def test_golden_a_pair_keeps_what_is_known_of_its_rewards():
    good, bad = said(1, "y", 0.9, prompt=asked(1, answer="y")), said(1, "n", None)
    made = pair(good, bad)
    assert (made.prompt, made.chosen.text, made.rejected.text, made.where) == ("question 1", "y", "n", "file:1")
    assert made.columns == {"answer": "y", "chosen_reward": 0.9}
    assert made.id == identity(good, bad) != identity(bad, good)


def test_golden_chance_depends_on_the_question_and_the_answers_alone():
    every = {"best_and_random": [(0, 1), (0, 2), (0, 3)], "random": [(a, b) for a in range(4) for b in range(a + 1, 4)]}
    for pairing, wanted in every.items():
        texts = [[r.text for r in group(n, *[0.0] * 4)] for n in range(60)]
        plain = [compared(pairs(group(n, 0.4, 0.3, 0.2, 0.1), pairing)) for n in range(60)]
        assert plain == [compared(pairs(group(n, 4.0, 3.0, 2.0, 1.0), pairing)) for n in range(60)]
        assert all(len(p) == 1 for p in plain)
        assert {tuple(map(t.index, p[0])) for t, p in zip(texts, plain, strict=True)} == set(wanted)
        others = [[said(1, f"{n} {i}", -float(i), sample=i) for i in range(4)] for n in range(60)]
        chosen = {tuple(int(t.split()[1]) for t in compared(pairs(o, pairing))[0]) for o in others}
        assert chosen == set(wanted)
        assert pairs(group(1, 0.5), pairing) == []


def test_golden_two_authors_and_the_better_of_them_first():
    answers = [said(1, t, r, author=a) for t, r, a in [("x", 0.1, 2), ("y", 0.3, 0), ("z", 0.2, 0), ("w", 0.9, 1)]]
    assert compared(pairs(answers, "between_authors")) == [("w", "y")]
    assert compared(pairs([answers[0], answers[1]], "between_authors")) == [("y", "x")]
    assert compared(pairs(answers[1:3], "between_authors")) == []


def test_golden_a_demonstration_against_own_answers():
    """The prompt and the columns are the demonstration's; another kind of record is passed over."""
    shown = [Demonstration(1, "question 1", "good", "f:1", {"level": 2}), asked(2)]
    said_by_the_model = [said(1, "bad", None), said(1, "good", None, sample=1), said(1, "worse", None, sample=2)]
    first, second = against(shown, said_by_the_model)
    assert (first.prompt, first.chosen, first.where, first.columns) == ("question 1", "good", "f:1", {"level": 2})
    assert [p.rejected for p in (first, second)] == [Sampled((98, 97, 100), "bad"), Sampled(tuple(b"worse"), "worse")]
    assert first.id == seed_for("against", 1, identity(said_by_the_model[0])) != second.id
    chat = Demonstration(3, "question 1", ({"role": "assistant", "content": "bad"},))
    assert [p.rejected.text for p in against([chat], said_by_the_model)] == ["good", "worse"]


def priced(*groups):
    """Lengths of the pairs at the price that makes them equal; `groups`: rewards of a prompt's answers by length."""
    rollouts = [said(n, "x" * k, reward, sample=k) for n, rewards in enumerate(groups) for k, reward in rewards.items()]
    return [(len(p.chosen.tokens), len(p.rejected.tokens)) for p in pairs_of_equal_length(rollouts)]


def test_golden_the_price_of_a_token():
    """The price at which the mean gap passes 0, from the side where it is smaller."""
    assert priced({1: 0.0, 4: 0.9}) == [(4, 1)]  # 0.3, where it jumps from 3 to -3
    assert priced({1: 0.1, 4: 0.9, 2: 0.8}) == [(2, 1)]  # 0.267, where 4 tokens become the worst
    assert priced({1: 0.0, 5: 10.0}, {6: 0.0, 2: 0.0}) == [(5, 1), (2, 6)]  # next to nothing
    assert priced({1: 0.0, 5: 8000.1}, {1: 0.0, 2: 9000.0}) == [(1, 5), (2, 1)]  # 2000 a token, from 5 to -3
    assert priced({1: 0.0, 2: 0.5, 3: 0.9}, {1: 0.9, 2: 0.0}) == [(2, 1), (1, 2)]  # 0.4, from 2 - 1 to 1 - 1
    assert priced({1: 1.0, 3: 0.0}) == [(1, 3)]  # the shorter are preferred already, and no price is below 0
    assert priced({2: 1.0, 1: 0.0}, {1: 1.0, 2: 0.0}) == [(2, 1), (1, 2)]  # equally long as they are


def test_golden_old_pairs_among_new_ones():
    """Both are taken in the order of their seeds, and old pairs of the prompts that stay are left out."""
    old = [Pair(n, f"question {n % 3}", f"old {n}", "b") for n in range(6)]
    new = [Pair(10 + n, f"question {n}", f"new {n}", "b") for n in range(4)]

    def order(records):
        return [r.chosen for r in sorted(records, key=lambda r: seed_for("replay", r.id))]

    assert [p.chosen for p in mix_replay(new, old, 0.0)] == order(new)
    half = mix_replay(new, old, 0.5)
    assert [p.chosen for p in half[:2]] == order(new)[:2]
    left = {p.prompt for p in half[:2]}
    assert [p.chosen for p in half[2:]] == order([p for p in old if p.prompt not in left])[:2]
    assert [p.chosen for p in mix_replay(new, old, 1.0)] == order(old)[:4]


def test_golden_every_two_answers_of_a_prompt():
    answers = [said(n, "a", None, sample=i) for i, n in enumerate([1, 2, 1, 1])]
    assert all_pairs(answers) == [(0, 2), (0, 3), (2, 3)]


def test_golden_labels_of_a_comparison():
    low, high, none = said(1, "low", 0.1), said(1, "high", 0.7), said(1, "none", None)
    for made in (labels(low, high, 3), labels(high, low, 3)):
        assert compared(made) == [("high", "low")] * 3
        assert len({p.id for p in made}) == 3
        assert all(isinstance(p.id, int) for p in made)
    assert labels(low, high, 0) == labels(low, low, 2) == labels(none, high, 2) == labels(low, none, 2) == []


def test_golden_the_first_two_different_answers_as_they_were_sampled():
    answers = [said(1, t, r, sample=i) for i, (t, r) in enumerate([("a", 0.1), ("a", 0.1), ("b", 0.9), ("c", 5.0)])]
    alone = [said(2, "d", None, sample=i) for i in range(2)]
    made = unlabelled([*answers, *alone])
    assert compared(made) == [("a", "b")]
    assert made[0].columns["rejected_reward"] == 0.9
