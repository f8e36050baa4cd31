"""Seeds that derive from names. There is no global random state anywhere in the library."""

from __future__ import annotations

import hashlib

SEEDS = 2**56  # how many there are


def seed_for(*names: str | int) -> int:
    """Derive an integer below SEEDS from names: `seed_for(run_seed, "rollout", step, prompt_id, sample)`.

    The same names give the same number on every machine, in every process and in any order of work.
    """
    text = "\0".join(map(repr, names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
