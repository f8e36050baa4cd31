"""What a request can end with instead of a reply."""

from __future__ import annotations

from posttrain.errors import RewardError


class ReplyError(Exception):
    """One request that got no usable reply. Others may still get theirs."""


class TransientError(ReplyError):
    """Another attempt may help. `after`: the seconds that the server asks to wait, None where it says nothing."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class RefusedError(RewardError):
    """No further request makes sense: a wrong key, an unknown model, a spent budget. It ends the run."""
