"""Errors that a request can end with."""

from __future__ import annotations

from posttrain.errors import RewardError


class ReplyError(Exception):
    """One request that got no usable reply. Others may still get theirs."""


class TransientError(ReplyError):
    """A failure that another attempt may cure. `after`: seconds that the server asks to wait, or None."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class RefusedError(RewardError):
    """A failure that ends the run, as no further request can succeed: wrong key, unknown model, spent budget."""
