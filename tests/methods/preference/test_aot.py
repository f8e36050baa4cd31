import itertools

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import on_pair, on_pairs

AOT, DPO = load("preference/aot"), load("preference/dpo")
LOGPS = [(-1.0, -3.0), (-2.0, -1.0), (-4.0, -4.5)]  # gaps of 2, -1 and 0.5
REFERENCE = [(-2.0, -1.5), (-1.0, -4.0), (-1.0, -1.0)]  # gaps of -0.5, 3 and 0


def test_it_is_the_cheapest_of_all_ways_to_match_the_pairs_with_those_of_the_reference():
    every = [on_pairs(DPO, LOGPS, list(order)).metrics["loss"] for order in itertools.permutations(REFERENCE)]
    assert on_pairs(AOT, LOGPS, REFERENCE).metrics["loss"] == pytest.approx(min(every), abs=1e-14)
    assert min(every) < on_pairs(DPO, LOGPS, REFERENCE).metrics["loss"] - 1e-3


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_pair_or_the_same_ranks_are_dpo(smoothing):
    aot, dpo = (configure(m, {"smoothing": smoothing}) for m in (AOT, DPO))
    assert on_pair(aot).metrics == pytest.approx(on_pair(dpo).metrics, abs=1e-14)
    ranked = [REFERENCE[i] for i in (1, 0, 2)]
    assert on_pairs(aot, LOGPS, ranked).metrics == pytest.approx(on_pairs(dpo, LOGPS, ranked).metrics, abs=1e-14)


def test_whose_the_gaps_of_the_reference_are_does_not_matter():
    plain = on_pairs(AOT, LOGPS, REFERENCE)
    for order in itertools.permutations(REFERENCE):
        other = on_pairs(AOT, LOGPS, list(order))
        assert other.metrics["loss"] == pytest.approx(plain.metrics["loss"], abs=1e-14)
        assert sum(other.gradient("logp"), []) == pytest.approx(sum(plain.gradient("logp"), []), abs=1e-14)


def test_a_constant_of_the_prompt_changes_nothing():
    moved = [(-2.0, -4.0), *LOGPS[1:]]
    assert on_pairs(AOT, moved, REFERENCE).metrics["loss"] == on_pairs(AOT, LOGPS, REFERENCE).metrics["loss"]
