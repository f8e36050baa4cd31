"""What a search has asked for already, step by step, so that one that was killed asks for nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from posttrain.errors import ConfigError


class Memory:
    """What earlier attempts have kept, in its order; `keep` gets everything that comes after it, as it comes."""

    def __init__(
        self,
        known: Sequence[Mapping[str, Any]] = (),
        keep: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        self._known = list(known)
        self._keep = keep
        self._read = 0

    def each(
        self,
        kind: str,
        wanted: Sequence[Any],
        compute: Callable[[Sequence[Any]], Iterable[Mapping[str, Any]]],
        name: Callable[[Any], Any],
    ) -> list[Mapping[str, Any]]:
        """Return the result of each that is wanted: those that are known, then those that `compute` makes of the rest.

        Each is kept as soon as `compute` yields it. `name`: plain data that identifies what is wanted. Raises
        ConfigError where something else was wanted here before.
        """
        known = self._known[self._read : self._read + len(wanted)]
        self._read += len(known)
        for item, row in zip(wanted, known, strict=False):
            if row["kind"] != kind or row["of"] != name(item):
                raise ConfigError(
                    f"the search wants the {kind} {name(item)}, where an earlier attempt kept the {row['kind']} "
                    f"{row['of']}: its procedure has changed; start a new run"
                )
        results, left = [row["result"] for row in known], wanted[len(known) :]
        made = iter(compute(left)) if left else iter(())
        for item, result in zip(left, made, strict=True):
            plain = json.loads(json.dumps(result))  # the same to this attempt and to the next
            self._keep({"kind": kind, "of": name(item), "result": plain})
            results.append(plain)
        return results
