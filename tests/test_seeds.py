"""Seeds derive from names, and from nothing else."""

from __future__ import annotations

import subprocess
import sys

from posttrain.seeds import seed_for


def test_golden():
    """Of `b2sum -l 56`. These numbers must never change: with them every run that was ever started would."""
    assert seed_for() == 22125486566988442
    assert seed_for(0) == 53614305849153459
    assert seed_for(3, "rollout", 12, 7) == 31021346448033767


def test_another_process_derives_the_same():
    code = "from posttrain.seeds import seed_for; print(seed_for(3, 'rollout', 12, 7))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(made.stdout) == seed_for(3, "rollout", 12, 7)


def test_names_are_told_apart_by_type_order_and_number():
    names = [(1,), ("1",), (1, 2), (2, 1), (12,), ("12",), ("1", "2"), ("1, 2",), ("1\0", "2"), (), ("",), ("", "")]
    assert len({seed_for(*n) for n in names}) == len(names)


def test_seeds_fill_56_bits():
    seeds = [seed_for("x", i) for i in range(4000)]
    assert len(set(seeds)) == 4000
    assert all(0 <= s < 2**56 for s in seeds)
    for bit in range(56):
        ones = sum(s >> bit & 1 for s in seeds)
        assert abs(ones - 2000) < 160  # five standard deviations
