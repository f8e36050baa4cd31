"""From named scores to the reward that is trained on: the total, its parts at tokens, metrics, state."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from posttrain.data.collate import episode_columns, episode_row
from posttrain.errors import ConfigError
from posttrain.records import Episode, Prompt, Segment, Span
from posttrain.rewards.reward import resolve
from posttrain.rewards.shaping.shaping import Shaping, inconsistency
from posttrain.rewards.shaping.transform import transform, transforms

PROMPTS = [Prompt(1, "a"), Prompt(2, "b")]


def zero(completions):
    return [0.0 for _ in completions]


def reward(name, weight=1.0, *specs):
    return resolve({"path": zero, "name": name, "weight": weight, "transform": specs})


def episode(prompt=0, tokens=4, reward=0.0, **scores):
    segment = Segment(tuple(range(tokens)), (-1.0,) * tokens, text="ab" * tokens)
    return Episode(PROMPTS[prompt], 0, 0, (5, 6), (segment,), reward, scores)


def ends(tokens):
    return [2 * (i + 1) for i in range(len(tokens))]


def combined(name, **settings):
    return transform({"path": name, **settings}, "combine")


def test_without_transforms_nothing_changes():
    shaping = Shaping([reward("a"), reward("b", 0.5)])
    one = episode(a=1.0, b=4.0, reward=3.0)
    assert shaping([one], ends) == [one]
    assert shaping.plain
    assert shaping.metrics() == {}
    assert str(shaping) == "1 a + 0.5 b"


def test_weights_apply_after_the_transforms_and_the_result_is_transformed_last():
    shaping = Shaping(
        [reward("a", 2.0, "clip"), reward("b", -1.0)], result=transforms([{"path": "scale", "divide": 4}])
    )
    (made,) = shaping([episode(a=9.0, b=1.0)], ends)
    assert made.reward == (2 * 1 - 1) / 4
    assert (made.rewards, made.shaped) == ({"a": 9.0, "b": 1.0}, {"a": 1.0})
    assert str(shaping) == "scale(2 clip(a) + -1 b, divide=4)"
    assert shaping.metrics() == {"rewards/a/shaped": 1.0}


def test_what_is_trained_on_are_the_transformed_numbers():
    (made,) = Shaping([reward("a", 1.0, "clip"), reward("b")])([episode(a=9.0, b=3.0)], ends)
    row = episode_row(made, train=True, temperature=1.0, step=0, wanted=["reward_a", "reward_b"])
    assert (row.columns["reward_a"], row.columns["reward_b"], row.columns["reward"]) == (1.0, 3.0, 4.0)


def test_a_failed_answer_stays_without_a_reward_and_abstentions_leave_the_sum():
    shaping = Shaping([reward("a", 1.0, "contrastive"), reward("b")])
    failed = episode(a=1.0, b=None, reward=None)
    kept, alone, none = shaping(
        [failed, episode(a=5.0, b=2.0), episode(prompt=1, a=5.0, b=None, reward=5.0)], ends, {1: {"a": [3.0]}}
    )
    assert [e.reward for e in (kept, alone, none)] == [None, 4.0, None]
    assert none.shaped == {"a": None}


def test_rewards_of_weight_zero_only_watch():
    shaping = Shaping([reward("a", 0.0, "clip"), reward("b")], combine=combined("worst"))
    (made,) = shaping([episode(a=-9.0, b=2.0)], ends)
    assert (made.reward, made.shaped) == (2.0, {"a": -1.0})


def test_ways_to_combine_and_how_often_each_counts():
    shaping = Shaping([reward("h", 5.0), reward("x", 1.0, "sigmoid")], combine=combined("gate", by="h", above=0.6))
    low, high = shaping([episode(h=0.5, x=0.0), episode(h=0.6, x=0.0)], ends)
    assert (low.reward, high.reward) == (2.5, 3.5)
    counted = {"rewards/h/counted": 1.0, "rewards/x/counted": 0.5}
    assert shaping.metrics() == {"rewards/x/shaped": 0.5, **counted}  # of equal aspects no order is known
    assert str(shaping) == "gate(5 h, 1 sigmoid(x), by=h, above=0.6)"
    for by in ("y", "watched"):
        with pytest.raises(ConfigError, match=f"by='{by}' is no reward with a weight; rewards h, watched"):
            Shaping([reward("h"), reward("watched", 0.0)], combine=combined("gate", by=by))


@pytest.mark.paper("lai2024ifx")
def test_an_aspect_is_inconsistent_where_it_orders_answers_otherwise():
    answers = [episode(h=h, x=x) for h, x in ((1.0, 5.0), (2.0, 7.0), (3.0, 6.0), (None, 9.0))]
    assert inconsistency(answers, "x", "h") == 1 / 3
    assert inconsistency(answers, "h", "h") == 0
    assert inconsistency([episode(h=1.0, x=1.0), episode(prompt=1, h=2.0, x=0.0)], "x", "h") is None  # two prompts
    shaping = Shaping([reward("h"), reward("x")], combine=combined("gate", by="h"))
    shaping(answers, ends)
    assert shaping.metrics()["rewards/x/inconsistent"] == 1 / 3


def test_spans_are_transformed_one_by_one_and_the_dense_reward_adds_up():
    spans = {"x": (Span(0, 2, 1.0), Span(2, 6, -1.0))}
    one = replace(episode(h=2.0, x=0.0), spans=spans)
    shaping = Shaping([reward("h", 3.0), reward("x", 10.0, "sigmoid")])
    (made,) = shaping([one], ends)
    good, bad = 1 / (1 + math.exp(-1)), 1 / (1 + math.e)
    assert made.shaped == {"x": pytest.approx(1.0)}
    assert made.reward == pytest.approx(16.0)
    assert made.credits["x"] == pytest.approx((good, 0, bad, 0))
    assert episode_columns(["dense_reward"], ["h", "x"]) == {"dense_reward"}
    row = episode_row(made, train=True, temperature=1.0, step=0, wanted=["dense_reward"])
    assert row.columns["dense_reward"] == pytest.approx((0, 0, 10 * good, 0, 10 * bad, 6.0))
    gated = Shaping([reward("h", 3.0), reward("x", 10.0)], combine=combined("gate", by="h", above=9.0))
    row = episode_row(gated([one], ends)[0], train=True, temperature=1.0, step=0, wanted=["dense_reward"])
    assert row.columns["dense_reward"] == (0, 0, 0, 0, 0, 6.0)


def test_without_parts_or_without_their_weight_the_dense_reward_is_at_the_end():
    spans = {"x": (Span(0, 2, 1.0),)}
    for made in (
        Shaping([reward("h", 3.0)])([episode(h=2.0, reward=6.0)], ends)[0],
        Shaping([reward("h", 3.0), reward("x", 0.0)])([replace(episode(h=2.0, x=1.0), spans=spans)], ends)[0],
    ):
        row = episode_row(made, train=True, temperature=1.0, step=0, wanted=["dense_reward"])
        assert row.columns["dense_reward"] == (0, 0, 0, 0, 0, 6.0)


def test_turns_are_transformed_at_their_last_tokens():
    two = replace(
        episode(x=4.0),
        segments=(
            Segment((1, 2), (-1.0, -1.0), text="abcd"),
            Segment((7,), None, None, "t"),
            Segment((3,), (-1.0,), text="e"),
        ),
        credits={"x": (0, 3.0, 0, 1.0)},
    )
    (made,) = Shaping([reward("x", 1.0, "clip")])([two], ends)
    assert (made.credits["x"], made.reward) == ((0, 1.0, 0, 1.0), 2.0)


def test_the_state_is_plain_and_restores():
    def fresh():
        return Shaping([reward("a", 1.0, "running_whiten")], result=transforms(["running_whiten"]))

    one, batch = fresh(), [episode(a=1.0), episode(a=4.0)]
    one(batch, ends)
    two = fresh()
    two.restore(one.state())
    assert set(one.state()) == {"", "a"}
    assert [e.reward for e in one([episode(a=9.0)], ends)] == [e.reward for e in two([episode(a=9.0)], ends)]
    assert one.learns
    assert not one.needs_baseline


def test_a_baseline_of_the_result_is_refused():
    with pytest.raises(ConfigError, match="scoring.transform: baseline answers are compared with reward by reward"):
        Shaping([reward("a")], result=transforms(["contrastive"]))
