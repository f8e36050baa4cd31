"""Async reward functions: all prompts of a batch at the same time, on one event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from posttrain.rewards.workers.call import Call, Fault
from posttrain.rewards.workers.evaluate import Function, called, checked, fault_of
from posttrain.rewards.workers.extras import Extras
from posttrain.rewards.workers.outcome import Outcome, joined


async def each(function: Function, rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[Any]:
    """Score answers one a call; an exception in the list is the fault of its answer."""
    return await asyncio.gather(*(function(**row, **settings) for row in rows), return_exceptions=True)


async def together(call: Call, function: Function) -> Outcome:
    """Score the groups of a call at the same time, each with a deadline of its own."""
    parts = call.split()
    outcomes = await asyncio.gather(*(_group(part, function) for part in parts))
    return joined((len(part.items), outcome) for part, outcome in zip(parts, outcomes, strict=True))


async def _group(call: Call, function: Function) -> Outcome:
    """Score a group; where it fails as a whole, each completion for itself."""
    outcome = await _in_time(call, function)
    if not isinstance(outcome, Fault) or not outcome.lies_in_an_item or len(call.items) == 1:
        return outcome
    singles = await asyncio.gather(*(_in_time(single, function) for single in call.split()))
    return joined((1, single) for single in singles)


async def _in_time(call: Call, function: Function) -> Outcome:
    extras = Extras(call)
    try:
        async with asyncio.timeout(call.timeout) as deadline:
            result = called(call, function, extras)
            result = await result if inspect.isawaitable(result) else result
        return checked(call, result, extras)
    except Exception as error:  # noqa: BLE001 -- a user's function may fail in any way
        if isinstance(error, TimeoutError) and deadline.expired():
            return Fault("deadline", f"reward {call.reward!r} gave no answer within {call.timeout:g} s and was stopped")
        return fault_of(call, error)


def run(work: Awaitable[Any]) -> Any:
    """Run a coroutine to its end, on the loop of this thread: clients that a function keeps belong to one loop.

    Where a loop is running already, as in a notebook, a thread with a loop of its own runs it.
    """

    async def whole() -> Any:
        return await work

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _runner(threading.get_ident()).run(whole())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, whole()).result()


@cache
def _runner(_thread: int) -> asyncio.Runner:
    return asyncio.Runner()
