"""Moving parameters between two groups of devices of any size: every device ends with its own piece, bit for bit.

The parameters are one row of numbers, cut into as many nearly equal pieces as a layout has shards. A device keeps what
it has already, and takes the rest from those that have it, in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Interval = tuple[int, int]  # from, to


@dataclass(frozen=True)
class Layout:
    """Device `devices[j]` holds piece j mod `shards`; fewer shards than devices are copies."""

    devices: tuple[int, ...]
    shards: int

    def piece(self, device: int, size: int) -> Interval:
        """Where the piece of a device begins and ends."""
        number = self.devices.index(device) % self.shards
        return number * size // self.shards, (number + 1) * size // self.shards

    def pieces(self, size: int) -> dict[int, Interval]:
        """The pieces of all devices."""
        return {device: self.piece(device, size) for device in self.devices}


@dataclass(frozen=True)
class Move:
    """Numbers that one device sends to another."""

    source: int
    target: int
    interval: Interval


def moves(before: Layout, after: Layout, size: int) -> list[Move]:
    """What has to be sent. Nothing is sent twice, and nothing that its target has already."""
    held, sent, made = before.pieces(size), dict.fromkeys(before.devices, 0), list[Move]()
    cuts = sorted({0, size, *(end for piece in held.values() for end in piece)})
    for target, wanted in after.pieces(size).items():
        for low, high in pairwise(cuts):
            interval = max(low, wanted[0]), min(high, wanted[1])
            if interval[0] >= interval[1] or _within(interval, held.get(target)):
                continue
            source = min((d for d in before.devices if _within(interval, held[d])), key=lambda d: (sent[d], d))
            sent[source] += interval[1] - interval[0]
            made.append(Move(source, target, interval))
    return made


def _within(interval: Interval, piece: Interval | None) -> bool:
    return piece is not None and piece[0] <= interval[0] and interval[1] <= piece[1]


def reallocated(memory: Mapping[int, Sequence[Any]], before: Layout, after: Layout, size: int) -> dict[int, list[Any]]:
    """What the devices of `after` hold once everything has been sent. `memory`: what those of `before` hold."""
    made: dict[int, list[Any]] = {}
    held, wanted = before.pieces(size), after.pieces(size)
    arriving = moves(before, after, size)
    for device, (low, high) in wanted.items():
        row: list[Any] = [None] * (high - low)
        own = [Move(device, device, (max(low, held[device][0]), min(high, held[device][1])))] if device in held else []
        for move in [*own, *(m for m in arriving if m.target == device)]:
            (start, end), origin = move.interval, held[move.source][0]
            if start < end:
                row[start - low : end - low] = memory[move.source][start - origin : end - origin]
        made[device] = row
    return made


def received(before: Layout, after: Layout, size: int) -> int:
    """The most numbers that one device receives: what the move waits for, if all links are alike."""
    total = dict.fromkeys(after.devices, 0)
    for move in moves(before, after, size):
        total[move.target] += move.interval[1] - move.interval[0]
    return max(total.values())
