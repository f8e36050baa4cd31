"""Modules of one architecture that become one."""

from __future__ import annotations

import pytest
import torch

from posttrain.backends.local.merged import merged
from posttrain.errors import ConfigError, ModelError
from posttrain.models.lora import add_lora
from posttrain.models.merging.merge import Merge
from tests.models.tiny import network


def models(**factors):
    """Models whose weights are those of one model times a factor."""
    made = {}
    for name, factor in factors.items():
        made[name] = network()
        with torch.no_grad():
            for p in made[name].parameters():
                p.mul_(factor)
    return made


def test_every_weight_is_merged_and_none_of_the_sources_changes():
    given = models(one=1.0, two=2.0)
    before = {n: p.clone() for n, p in given["one"].named_parameters()}
    found = merged(given, Merge("linear", (1.0, 3.0)), None)
    for name, p in found.named_parameters():
        torch.testing.assert_close(p, 1.75 * before[name])
    assert all(torch.equal(p, before[n]) for n, p in given["one"].named_parameters())


def test_a_base_is_what_differences_are_taken_from():
    given = models(one=2.0, two=4.0)
    (base,) = models(base=1.0).values()
    found = merged(given, Merge("task_arithmetic", share=0.5), base)
    for name, p in base.named_parameters():
        torch.testing.assert_close(found.get_parameter(name), 3 * p)  # 1 + (1 + 3) / 2


def test_a_head_that_the_base_lacks_counts_from_0():
    given = models(one=1.0, two=1.0)
    for seed, model in enumerate(given.values()):
        model.add_head("value", seed)
    found = merged(given, Merge(), network())
    heads = [m.heads["value"].weight for m in (*given.values(), found)]
    torch.testing.assert_close(heads[2], (heads[0] + heads[1]) / 2)


def test_what_cannot_be_merged_says_why():
    given = models(one=1.0, two=1.0)
    given["two"].add_head("value", 0)
    with pytest.raises(ModelError, match=r"one and two cannot be merged: only one of them has heads.value"):
        merged(given, Merge(), None)
    with pytest.raises(ConfigError, match="given; give a base"):
        merged(given, Merge("ties"), None)
    add_lora(given["one"], 2, 4.0)
    with pytest.raises(ModelError, match="posttrain merge"):
        merged(given, Merge(), None)
