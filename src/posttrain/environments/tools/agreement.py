"""How many calls agree with those that were asked for. Neither the order of calls nor that of arguments counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from posttrain.environments.environment import Call

Run = Callable[[Call], Any]


def agreeing(calls: Sequence[Call], gold: Sequence[Call], run: Run | None = None) -> int:
    """Count the calls that have a partner of the same name and arguments in `gold`, each partner once.

    Texts agree without regard to case and to the white space around them, 3 agrees with 3.0. With `run`, calls of one
    name agree where they come to the same result, too, as with a default that is written out.
    """
    same = Counter(map(canonical, calls)) & Counter(map(canonical, gold))
    if run is None or same.total() == min(len(calls), len(gold)):
        return same.total()
    rest, wanted = _without(calls, same), _without(gold, same)
    results = Counter(_result(c, run) for c in rest) & Counter(_result(c, run) for c in wanted)
    return same.total() + results.total()


def accuracy(calls: Sequence[Call], unread: int, gold: Sequence[Call], run: Run | None = None) -> float:
    """Return the share of calls that agree, of those that were written or asked for, whichever is more; 1 for none."""
    most = max(len(calls) + unread, len(gold))
    return agreeing(calls, gold, run) / most if most else 1.0


def gold_calls(column: Any) -> list[Call]:
    """Read calls of a data file: a list of {"name", "arguments"}. Raises ValueError for anything else."""
    listed = json.loads(column) if isinstance(column, str) else column
    if not isinstance(listed, list | tuple) or not all(isinstance(c, Mapping) and "name" in c for c in listed):
        raise ValueError(f'the calls must be a list of {{"name", "arguments"}}, not {column!r:.80}')
    return [Call(str(c["name"]), c.get("arguments") or {}) for c in listed]


def canonical(call: Call) -> str:
    """Return a call as one text, which is the same for calls that agree."""
    return json.dumps([call.name, _plain(call.arguments)], sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, str):
        return " ".join(value.casefold().split())
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _result(call: Call, run: Run) -> str:
    return json.dumps([call.name, _plain(run(call))], sort_keys=True, default=repr)


def _without(calls: Iterable[Call], taken: Counter[str]) -> list[Call]:
    left, rest = Counter(taken), []
    for call in calls:
        key = canonical(call)
        if left[key]:
            left[key] -= 1
        else:
            rest.append(call)
    return rest
