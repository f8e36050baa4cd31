"""Freed memory is kept, unless the user decided otherwise."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, resource
from posttrain.allocator import keep_freed_memory

kept = keep_freed_memory()
import torch

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def touched():
    # a step that holds 64 blocks of up to 16 MiB at once, 520 MiB in all, and frees the last one first
    before = faults()
    blocks = [torch.ones((i * 37 % 64 + 1) * 2**16) for i in range(64)]
    while blocks:
        blocks.pop()
    return faults() - before

touched()
touched()
counts = [touched() for _ in range(3)]
print(json.dumps({"kept": kept, "faults": counts}))
"""


def outcome(**environment):
    env = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_a_freed_block_is_given_out_again_without_page_faults():
    kept = outcome()
    assert kept["kept"]
    assert max(kept["faults"]) < 10_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_what_the_user_set_stays():
    own = outcome(MALLOC_TRIM_THRESHOLD_="1000000")
    assert not own["kept"]
    assert min(own["faults"]) > 100_000  # every page anew, each time
