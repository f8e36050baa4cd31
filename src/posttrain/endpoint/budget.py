"""Spending on an endpoint, counted in a file that several processes and all attempts of a run share."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posttrain.endpoint.endpoint import Endpoint
from posttrain.endpoint.failure import RefusedError

_MILLION = 1e6


class Account:
    """Counts requests, tokens and money, and raises RefusedError when a budget is spent.

    A request is counted before it is sent, so that a crash counts too much rather than too little. Without a folder it
    counts for this process alone.
    """

    def __init__(self, endpoint: Endpoint, folder: Path | None = None) -> None:
        self.requests = 0
        self.input = 0  # tokens
        self.output = 0  # tokens
        self._budget = endpoint.budget
        self._prices = endpoint.prices
        self._file = folder / f"spent-{endpoint.name}.jsonl" if folder else None
        self._read = 0  # bytes of the file that are counted already

    @property
    def money(self) -> float:
        """Cost so far, in the currency of the prices."""
        return (self.input * self._prices.input + self.output * self._prices.output) / _MILLION

    def count_request(self) -> None:
        """Count a request that is about to be sent. Raises RefusedError if a budget is spent."""
        self._record({"requests": 1}, check=True)

    def count_tokens(self, tokens: tuple[int, int] | None) -> None:
        """Count tokens read and written, as the server reports them. Raises RefusedError if it does not but must."""
        if tokens is not None:
            self._record({"input": tokens[0], "output": tokens[1]}, check=False)
        elif self._budget.needs_usage:
            raise RefusedError(
                "endpoint.budget limits tokens or money, but the server reports no `usage`; limit requests instead"
            )

    def _record(self, entry: dict[str, int], *, check: bool) -> None:
        if self._file is None:
            if check:
                self._check("in this process")
            self._count(entry)
            return
        with _locked(self._file) as descriptor:
            self._catch_up(descriptor)
            if check:
                self._check(f"as {self._file} says")
            line = f"\n{json.dumps(entry)}\n".encode()  # a new line first: a power cut may have torn the last one
            os.write(descriptor, line)
            self._catch_up(descriptor)

    def _catch_up(self, descriptor: int) -> None:
        """Count what other processes have written since. An incomplete line is ignored."""
        new = os.pread(descriptor, os.fstat(descriptor).st_size - self._read, self._read)
        self._read += len(new)
        for line in new.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                self._count(entry)

    def _count(self, entry: dict[str, int]) -> None:
        self.requests += int(entry.get("requests", 0))
        self.input += int(entry.get("input", 0))
        self.output += int(entry.get("output", 0))

    def _check(self, where: str) -> None:
        limits = (
            ("requests", self.requests, self._budget.requests),
            ("tokens", self.input + self.output, self._budget.tokens),
            ("money", self.money, self._budget.money),
        )
        for name, spent, limit in limits:
            if limit is not None and spent >= limit:
                raise RefusedError(
                    f"endpoint.budget.{name}={limit:g} is spent ({spent:g} {where}); every reply is kept: raise it and "
                    "continue with --resume"
                )


@contextmanager
def _locked(file: Path) -> Iterator[int]:
    """Open the file for appending, for one process at a time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)  # and with it the lock
