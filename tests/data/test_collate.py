"""Collation: rows of tokens become a flat batch."""

import math
from dataclasses import replace

import pytest
import torch

from posttrain.data.collate import collate, episode_columns, episode_row, groups, paired
from posttrain.records import Episode, Prompt, Row


def row(number, tokens=(5, 6, 7), trained=(False, False, True), written=None, **columns):
    return Row(number, tuple(tokens), tuple(trained), tuple(written or trained), columns)


def rollout(prompt=1, sample=0, reward=0.5, author=0):
    return Episode.of_answer(Prompt(prompt, "2+2?"), author, sample, (1, 2), (3, 4), (-0.5, -1.5), True, "4", reward)


class TestCollate:
    def test_lays_rows_end_to_end(self):
        b = collate([row(9), row(4, (1, 2), (False, True))])
        assert b["tokens"].tolist() == [5, 6, 7, 1, 2]
        assert b["rows"].index.tolist() == [0, 0, 0, 1, 1]
        assert b["rows"].mask.tolist() == [False, False, True, False, True]
        assert b["row_id"].tolist() == [9, 4]

    def test_trained_and_written_are_two_masks(self):
        b = collate([row(0, trained=(False, False, True), written=(False, True, True))])
        assert b["rows"].mask.tolist() == [False, False, True]
        assert b["written"].mask.tolist() == [False, True, True]

    def test_columns_are_per_row_or_per_token(self):
        b = collate([row(0, label=True, ref_logp=(0.0, -1.0, -2.0)), row(1, label=False, ref_logp=(0.0, -3.0, -4.0))])
        assert b["label"].tolist() == [True, False]
        assert b["ref_logp"].tolist() == [0, -1, -2, 0, -3, -4]
        assert (b.axes["label"], b.axes["ref_logp"]) == ("B", "T")

    def test_large_ids_survive(self):
        assert collate([row(2**56 - 1, group=2**56 - 3)])["group"].tolist() == [2**56 - 3]

    def test_numbers_take_the_default_dtype(self, float64):
        assert collate([row(0, reward=0.1)])["reward"].dtype is torch.float64
        assert float(collate([row(0, reward=0.1)])["reward"]) == 0.1

    def test_pairs_and_scalars(self):
        b = collate([row(0), row(1), row(2)], [(2, 0), (2, 1)], {"max_tokens": 8})
        assert b["pairs"].tolist() == [[2, 0], [2, 1]]
        assert b["max_tokens"] == 8
        assert collate([row(0)], [])["pairs"].shape == (0, 2)

    def test_paired_rows_alternate(self):
        assert paired([row(i) for i in range(4)])["pairs"].tolist() == [[0, 1], [2, 3]]

    def test_nan_in_a_prompt_is_no_number(self):
        b = collate([row(0, ref_logp=(math.nan, math.inf, -2.0))])
        assert b["ref_logp"].tolist() == [0, 0, -2]


WRONG = {
    "no rows": (lambda: collate([]), "at least one row"),
    "first token trained": (
        lambda: collate([row(3, trained=(True, True, True))]),
        "row 3: the first token has nothing",
    ),
    "first token written": (
        lambda: collate([row(3, written=(True, True, True))]),
        "row 3: the first token has nothing",
    ),
    "a column missing": (
        lambda: collate([row(0, reward=1.0), row(1)]),
        "rows 0 and 1 do not have the same columns: reward",
    ),
    "a column too many": (
        lambda: collate([row(0), row(1, reward=1.0)]),
        "rows 0 and 1 do not have the same columns: reward",
    ),
    "a short column": (lambda: collate([row(0, ref_logp=(0.0, 1.0))]), "row 0: 'ref_logp' has 2 entries for 3 tokens"),
    "a long mask": (
        lambda: collate([row(0, trained=(False, True, True, True))]),
        "row 0: 'trained' has 4 entries for 3",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_a_batch_says_why(wrong):
    make, message = WRONG[wrong]
    with pytest.raises(ValueError, match=message):
        make()


class TestRollouts:
    def test_an_answer_is_trained_and_its_prompt_is_not(self):
        r = episode_row(rollout(), train=True, temperature=0.7, step=3)
        assert r.tokens == (1, 2, 3, 4)
        assert r.trained == r.written == (False, False, True, True)
        assert r.columns["rollout_logp"] == (0.0, 0.0, -0.5, -1.5)
        assert (r.columns["group"], r.columns["temperature"], r.columns["reward"]) == (1, 0.7, 0.5)

    def test_an_opponent_is_written_and_not_trained(self):
        r = episode_row(rollout(author=1), train=False, temperature=1.0, step=3)
        assert r.trained == (False,) * 4
        assert r.written == (False, False, True, True)

    def test_without_reward_there_is_no_column(self):
        assert "reward" not in episode_row(rollout(reward=None), train=True, temperature=1.0, step=0).columns

    def test_a_reward_called_cost_is_the_cost_where_a_method_reads_one(self):
        assert episode_columns({"cost": "B", "margin": "B"}, ["cost", "margin"]) == {"cost"}
        assert episode_columns({"cost": "B"}, ["length"]) == set()
        judged = replace(rollout(), rewards={"cost": 0.25, "turn": 1.0})
        read = lambda e: episode_row(e, train=True, temperature=1.0, step=0, wanted=["cost", "turn"]).columns  # noqa: E731
        assert (read(judged)["cost"], read(judged)["turn"]) == (0.25, (0, 0, 0, 0))
        assert math.isnan(read(replace(judged, rewards={"cost": None}))["cost"])
        assert "cost" not in read(rollout())

    def test_ids_tell_steps_prompts_authors_and_samples_apart(self):
        made = [
            episode_row(rollout(p, s, author=a), train=True, temperature=1.0, step=step).id
            for p in (1, 2)
            for s in (0, 1)
            for a in (0, 1)
            for step in (0, 1)
        ]
        assert len(set(made)) == 16

    def test_groups_are_in_the_order_of_their_prompts(self):
        made = groups([rollout(7, 0), rollout(3, 0), rollout(7, 1)])
        assert [[(r.prompt.id, r.sample) for r in g] for g in made] == [[(7, 0), (7, 1)], [(3, 0)]]
