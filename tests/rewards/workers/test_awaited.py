"""Async functions: all prompts at once, each with its own deadline."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from tests.rewards import faulty
from tests.rewards.test_scorer import F, rollouts, score


def test_all_prompts_are_awaited_at_the_same_time():
    groups = [["a", "bb"]] * 12
    score([f"{F}:patient"], rollouts(*groups), workers=1)  # warm
    begin = time.monotonic()
    found, _ = score([f"{F}:patient"], rollouts(*groups), workers=1)
    assert found == [1.0, 2.0] * 12
    assert time.monotonic() - begin < 12 * 0.2


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_is_that_of_its_completion_alone(workers):
    batch = rollouts(["a", "raise x"], ["hang", "bb"], ["ccc"])
    reward = {"path": f"{F}:patient", "seconds": 0.0}
    found, metrics = score([reward], batch, workers=workers, timeout=0.4, max_error_rate=0.5)
    assert found == [1.0, None, None, 2.0, 3.0]
    assert metrics["errors/reward_patient"] == 2.0


def test_blocking_code_is_killed_and_tried_prompt_by_prompt():
    batch = rollouts(["a"], ["spin"], ["ccc"])
    found, _ = score([{"path": f"{F}:patient", "seconds": 0.0}], batch, timeout=0.3, max_error_rate=0.5)
    assert found == [1.0, None, 3.0]


def test_a_function_of_this_process_is_awaited_even_under_a_running_loop():
    loops = []

    async def remembers(completions):
        loops.append(asyncio.get_running_loop())
        return [1.0] * len(completions)

    async def notebook():
        return score([remembers], rollouts(["a"], ["b"]))[0]

    assert score([remembers], rollouts(["a"], ["b"]))[0] == [1.0, 1.0]
    assert score([remembers], rollouts(["a"]))[0] == [1.0]
    assert len(set(map(id, loops))) == 1  # clients belong to a loop
    assert asyncio.run(notebook()) == [1.0, 1.0]


def test_an_async_object_of_this_process():
    class Judge:
        async def __call__(self, completions):
            return [float(threading.current_thread() is threading.main_thread())] * len(completions)

    assert score([Judge()], rollouts(["a"]))[0] == [1.0]
    assert faulty.patient.__name__ == "patient"
