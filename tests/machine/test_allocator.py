"""Freed memory is kept and reused without gaps, unless the user decided otherwise."""

import json
import os
import subprocess
import sys

import pytest

from tests.machine.test_compiled import needs_compiler

SCRIPT = """
import json, resource
from posttrain.machine.allocator import keep_freed_memory

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


BEGIN = """
import json, os, random
from posttrain.machine.allocator import keep_freed_memory, install_allocator

keep_freed_memory()
assert install_allocator()
import torch
"""


def outcome(script=SCRIPT, **environment):
    env = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_a_freed_block_is_reused_without_page_faults():
    kept = outcome()
    assert kept["kept"]
    assert max(kept["faults"]) < 10_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_what_the_user_set_stays():
    own = outcome(MALLOC_TRIM_THRESHOLD_="1000000")
    assert not own["kept"]
    assert min(own["faults"]) > 100_000  # every page anew, each time


@needs_compiler
def test_a_freed_tensor_leaves_room_for_one_of_its_size():
    result = outcome(
        BEGIN
        + """
def some(count):
    return [torch.empty(2**18) for _ in range(count)]

blocks = some(40)
first = {x.data_ptr() for x in blocks[::2]}
small = []
for number in range(0, 40, 2):
    blocks[number] = None
    small += [torch.empty(8) for _ in range(5)]  # which would take the edges of the holes
again = {x.data_ptr() for x in some(20)}
print(json.dumps({"moved": len(first - again)}))
"""
    )
    assert result == {"moved": 0}


@needs_compiler
def test_neighbouring_holes_merge():
    result = outcome(
        BEGIN
        + """
blocks = [torch.empty(2**18) for _ in range(9)]
start, end = blocks[0].data_ptr(), blocks[-1].data_ptr()
for number in (1, 3, 2, 5, 4, 7, 6):  # merges with the hole before, the one after, both and none
    blocks[number] = None
large = torch.empty(7 * 2**18).data_ptr()
print(json.dumps({"between": start < large < end}))
"""
    )
    assert result == {"between": True}


@needs_compiler
def test_the_rest_of_a_hole_and_the_end_of_the_range_are_reused():
    result = outcome(
        BEGIN
        + """
large, after = torch.empty(8 * 2**18), torch.empty(2**18)
start, end = large.data_ptr(), after.data_ptr()
large = None
parts = [torch.empty(2**18) for _ in range(8)]
after = None
larger = torch.empty(9 * 2**18).data_ptr()
print(json.dumps({"inside": all(start <= part.data_ptr() < end for part in parts), "at the end": larger == end}))
"""
    )
    assert result == {"inside": True, "at the end": True}


@needs_compiler
def test_tensors_never_overlap():
    outcome(
        BEGIN
        + """
chance, alive = random.Random(0), []
for number in range(4000):
    if alive and chance.random() < 0.5:
        tensor, value = alive.pop(chance.randrange(len(alive)))
        assert tensor.data_ptr() % 64 == 0 and bool((tensor == value).all()), number
    else:
        size = chance.choice([1, 100, 2**14 - 1, 2**14, 2**16, 2**16 + 7, 2**18])
        alive.append((torch.full((size,), float(number)), number))
print("{}")
"""
    )


@needs_compiler
def test_errors_forks_and_the_profiler_work_as_with_the_allocator_of_torch():
    """Errors of too large requests, forks while another thread allocates, the memory that the profiler reports."""
    result = outcome(
        BEGIN
        + """
import threading

try:
    torch.empty(2**60)
except RuntimeError as error:
    refused = str(error)

done = threading.Event()

def work():  # torch lets others run Python, and fork, while it allocates
    while not done.is_set():
        torch.empty(2**15)

thread = threading.Thread(target=work)
thread.start()
codes = []
for _ in range(300):
    child = os.fork()
    if child == 0:
        os._exit(torch.empty(2**18).numel() != 2**18)
    codes.append(os.waitpid(child, 0)[1])
done.set()
thread.join()

with torch.profiler.profile(profile_memory=True) as profile:
    x = torch.empty(2**18)
seen = sum(event.self_cpu_memory_usage for event in profile.key_averages())
print(json.dumps({"refused": refused, "codes": codes, "seen": seen}))
"""
    )
    assert "can't allocate memory" in result["refused"]
    assert set(result["codes"]) == {0}
    assert result["seen"] == 4 * 2**18


def test_the_caches_of_primitives_are_small_unless_the_user_set_their_size():
    script = """
import json, os
from posttrain.machine.allocator import PRIMITIVE_CACHES, keep_freed_memory

keep_freed_memory()
print(json.dumps({name: os.environ[name] for name in PRIMITIVE_CACHES}))
"""
    assert set(outcome(script).values()) == {"128"}
    assert outcome(script, LRU_CACHE_CAPACITY="7")["LRU_CACHE_CAPACITY"] == "7"
