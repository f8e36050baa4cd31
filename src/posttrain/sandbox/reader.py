"""Run sandboxed processes to their end: move data between them and enforce their limits."""

from __future__ import annotations

import selectors
from collections.abc import Callable

from posttrain.sandbox.box import Box


def run(last: Box, *others: Box) -> None:
    """Run until `last` has ended, or any of them has used up its time or its output.

    When all the others have ended, the input of `last` ends. The clocks start when all of them are ready.
    """
    boxes = (last, *others)
    while not last.done and not any(box.flooded or box.timed_out for box in boxes):
        _wait([box for box in boxes if not box.done])
        for box in boxes:
            if not box.done:
                box.step()
        if not all(box.ready or box.done for box in boxes):
            for box in boxes:
                box.start_clock()
        if others and all(box.done for box in others):
            last.finish_input()


def until(box: Box, done: Callable[[], bool]) -> None:
    """Run one box until something is done, or it has ended or broken a limit."""
    while not box.done and not done():
        _wait([box])
        box.step()


def connect(one: Box, other: Box) -> None:
    """Send the output of each to the input of the other."""
    one.listener, other.listener = other.send, one.send


def _wait(boxes: list[Box]) -> None:
    with selectors.PollSelector() as selector:
        for box in boxes:
            for descriptor in box.readable():
                selector.register(descriptor, selectors.EVENT_READ)
            for descriptor in box.writable():
                selector.register(descriptor, selectors.EVENT_WRITE)
        selector.select(min(box.remaining for box in boxes))
