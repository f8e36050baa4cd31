"""Calls a user's function with its arguments and checks what it returns."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from posttrain.errors import ConfigError, RewardError
from posttrain.rewards.reads import PLURAL
from posttrain.rewards.workers.call import Call, DeadlineError, Fault
from posttrain.rewards.workers.extras import Extras, opened
from posttrain.rewards.workers.outcome import Outcome, line, tail, verdicts

Function = Callable[..., Any]


def evaluate(call: Call, function: Function) -> Outcome:
    """Call a reward function and check what it returns. Whatever it raises is a Fault, Ctrl-C excepted."""
    seed_everything(call.seed)
    try:
        if call.groups:
            from posttrain.rewards.workers import awaited  # asyncio takes as long to import as all else

            outcome: Outcome = awaited.run(awaited.together(call, function))
            return outcome
        extras = Extras(call)
        result = called(call, function, extras)
        if inspect.isawaitable(result):
            from posttrain.rewards.workers import awaited

            result = awaited.run(result)
        return checked(call, result, extras)
    except (KeyboardInterrupt, DeadlineError):
        raise
    except BaseException as error:  # noqa: BLE001 -- untrusted code: even its own BaseExceptions are its fault
        return fault_of(call, error)


def checked(call: Call, result: Any, extras: Extras) -> Outcome:
    """The verdicts of what a function returned, with what it logged."""
    result = result.tolist() if hasattr(result, "tolist") else result
    result = opened(result) if call.form == "verl" and isinstance(result, list) else result
    return verdicts(call.reward, extras.added_to(result), len(call.items))


def called(call: Call, function: Function, extras: Extras) -> Any:
    """What a function returns, or an awaitable of it."""
    if call.form != "verl":
        return function(**call.arguments, **call.settings, **extras.given())
    named = {"solution_str" if n == "completions" else n: values for n, values in call.arguments.items()}
    if call.batched:
        return function(**{PLURAL[n]: values for n, values in named.items()}, **call.settings)
    rows = [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        from posttrain.rewards.workers import awaited

        return awaited.each(function, rows, call.settings)
    return list(_one_by_one(function, rows, call))


def _one_by_one(function: Function, rows: list[dict[str, Any]], call: Call) -> Iterator[Any]:
    """The score of each answer; an exception is the fault of that answer alone."""
    for row in rows:
        try:
            yield function(**row, **call.settings)
        except (ConfigError, RewardError):
            raise
        except Exception as error:  # noqa: BLE001 -- a user's function may fail in any way
            yield error


def fault_of(call: Call, error: BaseException) -> Fault:
    """What an exception of the function means."""
    name = f"reward {call.reward!r}"
    if isinstance(error, ConfigError):
        return Fault("setup", f"{name}: {error}")
    if isinstance(error, RewardError):
        return Fault("stop", f"{name}: {error}")
    if isinstance(error, SystemExit):
        return Fault("raised", f"{name} called sys.exit({error.code!r:.80})", tail(error))
    return Fault("raised", f"{name} raised {line(error)}{_hint(call, error)}", tail(error))


def _hint(call: Call, error: BaseException) -> str:
    """The remedy where a function takes texts for messages or messages for texts, or a GPU into a fork."""
    said = str(error) if isinstance(error, TypeError | AttributeError | KeyError | RuntimeError) else ""
    if "re-initialize CUDA" in said:
        return "; a function that uses a GPU runs with scoring.workers: 0, or in a file of its own"
    if call.form == "texts" and ("indices must be integers" in said or "'str' object has no attribute 'get'" in said):
        return "; completions are texts here, completion[0]['content'] is TRL's: write signature: trl in its entry"
    if call.form == "trl" and ("'list' object has no attribute" in said or "got 'list'" in said):
        return "; completions are lists of messages, as in TRL: write signature: texts in its entry for texts"
    return ""


def seed_everything(seed: int) -> None:
    """For the function's sake: our own code draws from no global generator."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
