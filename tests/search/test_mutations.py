"""The tests of a search notice: every function is broken in every small way (tests/harness/mutants.py)."""

from __future__ import annotations

import importlib

import pytest

from tests.harness.mutants import Logic, cases_of, functions_of, notices, survivors

MODULES = ("puct", "step_pairs", "refinement", "strategies.beam", "strategies.best_of_n", "strategies.mcts",
           "strategies.self_consistency", "strategies.tree_of_thoughts")  # fmt: skip
EQUIVALENT = {  # mutants that do the same thing
    "step_pairs": {"swap: f.tree[two[0]].mean - f.tree[two[1]].mean"},  # an absolute value
}


@pytest.mark.parametrize("name", MODULES)
def test_a_broken_search_is_noticed(name):
    module = importlib.import_module(f"posttrain.search.{name}")
    folder, _, last = name.rpartition(".")
    own = importlib.import_module(".".join(x for x in ("tests.search", folder, f"test_{last}") if x))
    tests = cases_of(own, "test_")
    assert not notices(tests)
    for fn in functions_of(module):
        assert survivors(fn, Logic, tests) == EQUIVALENT.get(fn.__qualname__, set()), fn.__qualname__
