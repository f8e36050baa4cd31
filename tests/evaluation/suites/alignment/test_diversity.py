"""Planted policies on open questions: a collapsed one, one that copies itself, and one that varies."""

from __future__ import annotations

import pytest

from posttrain.evaluation.suites.alignment.diversity import diversity
from posttrain.evaluation.suites.open_ended import open_prompts
from tests.evaluation.scripted import answered

WORDS = "apple brick cloud daisy eagle flint grape house ivory jelly kite lemon".split()


def suite():
    return diversity(size=3, samples=4)


@pytest.mark.paper("kirk20230it")
def test_diversity_within_and_across_inputs_tells_two_policies_apart():
    copies = answered(suite(), lambda item, _: " ".join(WORDS[4 * item.prompt.id : 4 * item.prompt.id + 4])).numbers
    collapsed = answered(suite(), lambda item, _: " ".join(WORDS[3 * item.sample : 3 * item.sample + 3])).numbers
    assert copies["distinct_per_input"].mean == pytest.approx(0.25)
    assert copies["distinct_across_inputs"].mean == collapsed["distinct_per_input"].mean == 1.0
    assert collapsed["distinct_across_inputs"].mean == pytest.approx(1 / 3)
    assert (copies["clusters"].mean, copies["largest_cluster"].mean) == (1.0, 1.0)
    assert (collapsed["clusters"].mean, collapsed["largest_cluster"].mean) == (4.0, 0.25)
    assert collapsed["letters_across_inputs"].mean == pytest.approx(0.0)
    assert copies["ead_per_input"].mean < 0.26 < 0.9 < copies["ead_across_inputs"].mean


def test_entropy_is_that_of_the_tokens_as_they_were_drawn():
    assert answered(suite(), lambda *_: "two words").numbers["entropy"].mean == 1.0  # each has log-prob -1


def test_prompts_of_a_file_or_bundled_ones_are_asked():
    assert len(open_prompts(None, 999)) == len({p.prompt[0]["content"] for p in open_prompts(None, 999)}) == 48
    assert open_prompts("arithmetic", 2)[0].columns["answer"]
