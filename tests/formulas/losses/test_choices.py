"""Policies over candidates: identities of the scores and of the losses."""

import math

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.losses.choices import (
    at_prompt,
    choice_kl,
    choice_logp,
    clipped_choice,
    minus_choice_entropy,
    too_far,
)


def rows(*lengths, prompt=1, trained=None):
    """Rows with these numbers of tokens behind a prompt; `trained`: the rows that count."""
    index = torch.cat([torch.full((prompt + n,), i) for i, n in enumerate(lengths)])
    mask = torch.cat(
        [torch.tensor([False] * prompt + [trained is None or i in trained] * n) for i, n in enumerate(lengths)]
    )
    return Rows(index, mask, len(lengths))


def policy(*candidates, normalise="sum", group=None, words=None):
    """π of candidates, given the log-probs of their tokens."""
    logp = torch.tensor([x for own in candidates for x in (math.nan, *own)], dtype=torch.float64)
    group = torch.zeros(len(candidates)) if group is None else torch.tensor(group)
    words = torch.tensor([float(len(own)) for own in candidates] if words is None else words, dtype=torch.float64)
    return choice_logp(logp, words, group, rows(*map(len, candidates)), normalise=normalise).exp().tolist()


GO, PICK = (-1.0,), (-0.6, -0.6, -0.6)


@pytest.mark.paper("000:[10]", "000:[12]")
def test_golden():
    assert policy(GO, PICK) == pytest.approx([0.690, 0.310], abs=5e-4)
    assert policy(GO, PICK, normalise="token") == pytest.approx([0.401, 0.599], abs=5e-4)
    assert policy(GO, PICK, normalise="word", words=[1.0, 2.0]) == pytest.approx(
        [1 / (1 + math.exp(0.1)), 1 / (1 + math.exp(-0.1))]
    )


def test_tokens_with_which_all_begin_change_nothing():
    assert policy((-3.0, *GO), (-3.0, *PICK)) == pytest.approx(policy(GO, PICK))


def test_candidates_of_one_token_are_the_masked_softmax():
    logits = torch.randn(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    masked = logits[[2, 5, 7]].softmax(0).tolist()
    assert policy(*[(float(x),) for x in logits.log_softmax(0)[[2, 5, 7]]]) == pytest.approx(masked)


def test_the_mean_over_tokens_is_the_sum_at_a_temperature_of_the_length():
    two = [(-1.0, -2.0), (-0.5, -1.5)]
    cooler = [tuple(x / 2 for x in own) for own in two]
    assert policy(*two, normalise="token") == pytest.approx(policy(*cooler))


def test_decisions_do_not_see_each_other():
    both = policy(GO, (-5.0,), PICK, (-6.0,), group=[7, 3, 7, 3])
    assert [both[0], both[2]] == pytest.approx(policy(GO, PICK))
    assert [both[1], both[3]] == pytest.approx(policy((-5.0,), (-6.0,)))


def test_the_entropy_is_that_of_the_policy():
    logp, group = torch.tensor([0.25, 0.75, 1.0]).log(), torch.tensor([0, 0, 1])
    actual = minus_choice_entropy(logp, group, rows(1, 1, 1)).tolist()
    h = 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    assert actual == pytest.approx([h, h, 0.0])


def test_a_ratio_gains_up_to_the_clip_and_loses_beyond_it():
    old, new = torch.zeros(4), torch.tensor([1.5, 0.5, 1.5, 0.5]).log()
    advantage = torch.tensor([1.0, 1.0, -1.0, -1.0])
    assert clipped_choice(new, old, advantage, clip=0.2).tolist() == pytest.approx([-1.2, -0.5, 1.5, 0.8])


def test_the_target_is_for_the_mean_over_decisions_that_were_taken():
    old, new = torch.zeros(3), torch.tensor([0.3, 0.0, 5.0])
    kl = (math.exp(0.3) - 1 - 0.3) / 2
    assert choice_kl(new, old)[:2].tolist() == pytest.approx([2 * kl, 0.0])
    counted = rows(1, 1, 1, trained=(0, 1))
    assert [float(too_far(new, old, counted, target_kl=kl * x)) for x in (0.99, 1.01)] == [1.0, 0.0]
    assert float(too_far(new, old, rows(1, 1, 1, trained=()), target_kl=0.1)) == 0.0


def test_the_value_is_that_before_the_first_token():
    value = torch.tensor([9.0, 1.0, 2.0, 9.0, 3.0])
    assert at_prompt(value, rows(2, 1, trained=(0, 1))).tolist() == [1.0, 3.0]
    assert at_prompt(value, rows(2, 1, trained=(1,))).tolist() == [0.0, 3.0]
