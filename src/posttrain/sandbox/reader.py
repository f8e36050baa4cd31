"""Waiting for sandboxed processes: their output, their end, their limits."""

from __future__ import annotations

import selectors

from posttrain.sandbox.box import Box


def run(last: Box, *others: Box) -> None:
    """Until `last` has ended, or one of them has reached the end of its time or of its output.

    When all the others have ended, the input of `last` does. No time passes for one before all are ready.
    """
    boxes = (last, *others)
    while not last.over and not any(box.flooded or box.late for box in boxes):
        _wait([box for box in boxes if not box.over])
        for box in boxes:
            if not box.over:
                box.step()
        if not all(box.ready or box.over for box in boxes):
            for box in boxes:
                box.start_clock()
        if others and all(box.over for box in others):
            last.finish_input()


def connect(one: Box, other: Box) -> None:
    """What each writes, the other reads."""
    one.listener, other.listener = other.send, one.send


def _wait(boxes: list[Box]) -> None:
    with selectors.PollSelector() as selector:
        for box in boxes:
            for descriptor in box.readable():
                selector.register(descriptor, selectors.EVENT_READ)
            for descriptor in box.writable():
                selector.register(descriptor, selectors.EVENT_WRITE)
        selector.select(min(box.remaining for box in boxes))
