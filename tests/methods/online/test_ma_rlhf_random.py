"""Macro actions of random lengths."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.rows import Rows
from posttrain.formulas.credit.macro_actions import LENGTHS, drawn_lengths
from posttrain.seeds import seed_for
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("chai2024qal")


def lengths(starts):
    places = [i for i, x in enumerate(starts) if x == 1] + [len(starts)]
    return [b - a for a, b in zip(places, places[1:], strict=False)]


def expected(row_id, repeats, size):
    """A random order of the lot, cut where the answer ends; what is left over is one."""
    lot = sorted(enumerate([1, 2, 3, 5, 10] * repeats), key=lambda x: seed_for(0, row_id * 5 * repeats + x[0]))
    found = []
    for _, length in lot:
        found.append(min(length, size - sum(found)))
        if sum(found) == size:
            return found
    return [*found, size - sum(found)]


@pytest.mark.parametrize(("repeats", "size"), [(1, 30), (2, 30), (5, 12), (1, 1)])
def test_golden(repeats, size):
    method = configure(load("online/ma_rlhf_random"), {"repeats": repeats})
    names = ("logp", "old_logp", "ref_logp", "rollout_logp", "value", "old_value")
    one = step(method, *(answer(reward=1.0, **dict.fromkeys(names, [0.0] * n)) for n in (size, size + 3)))
    first, second = one.batches["main"]["row_id"].tolist()
    assert [lengths(x) for x in one.value("macro")] == [
        expected(first, repeats, size),
        expected(second, repeats, size + 3),
    ]


def test_answers_differ_and_steps_differ_and_other_rows_do_not_matter():
    rows = Rows(torch.tensor([0] * 30 + [1] * 30), torch.ones(60, dtype=torch.bool), 2)
    a, b = drawn_lengths(torch.tensor([7, 8]), 3, rows).split(30)
    alone = drawn_lengths(torch.tensor([8]), 3, Rows(torch.zeros(30, dtype=torch.long), torch.ones(30) > 0, 1))
    assert torch.equal(b, alone)
    assert not torch.equal(a, b)
    assert not torch.equal(b, drawn_lengths(torch.tensor([8]), 4, Rows(rows.index[:30], rows.mask[:30], 1)))
    assert sum(LENGTHS) == 21
