"""Which sandboxes work on this machine, determined by trying them."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from posttrain.errors import ConfigError, SandboxError, suggestion
from posttrain.sandbox.bubblewrap import Bubblewrap
from posttrain.sandbox.judging import Case, judge_cases
from posttrain.sandbox.landlock import Landlock
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.wasm import Wasm

Choice = Literal["auto", "bubblewrap", "landlock", "wasm", "none"]
TIERS: tuple[Tier, ...] = (Bubblewrap(), Landlock(), Wasm())  # the best first

# Prints which of the forbidden actions succeeded.
_ATTEMPTS = """
import os, sys
def worked(attempt):
    try:
        attempt()
        return True
    except (OSError, AttributeError, ImportError):
        return False
attempts = {
    "reads /etc/passwd": lambda: open("/etc/passwd").close(),
    "writes to /usr": lambda: open("/usr/posttrain", "w").close(),
    "starts processes": lambda: os.fork() or os._exit(0),
    "opens sockets": lambda: __import__("socket").socket().close(),
}
print("; ".join(what for what, attempt in attempts.items() if worked(attempt)))
"""


@cache
def why_unavailable(tier: Tier) -> str | None:
    """Return why a sandbox cannot be used here; None if it works and contains every attempt."""
    judgement = judge_cases(tier, _ATTEMPTS, [Case("", "")], Limits(seconds=20.0))
    if judgement.verdict == "passed":
        return None
    if judgement.verdict == "infrastructure error":
        return judgement.reason
    return f"it does not hold ({judgement.reason})"


def available() -> dict[str, str | None]:
    """Map every sandbox, the best first, to why it cannot be used here, or to None."""
    return {tier.name: why_unavailable(tier) for tier in TIERS}


def choose(choice: Choice = "auto") -> Tier:
    """Return the best sandbox of this machine, or the one of that name.

    Raises SandboxError where there is none: nothing is ever run unprotected unless the user asked for `none`.
    """
    if choice not in get_args(Choice):
        known = get_args(Choice)
        raise ConfigError(f"no sandbox {choice!r}{suggestion(str(choice), known)}; there are: {', '.join(known)}")
    if choice == "none":
        return Plain()
    reasons: dict[str, str] = {}
    for tier in TIERS:
        if choice in ("auto", tier.name):
            if (reason := why_unavailable(tier)) is None:
                return tier
            reasons[tier.name] = reason
    details = "".join(f"\n  {name}: {reason}" for name, reason in reasons.items())
    raise SandboxError(
        f"this machine has no sandbox for programs that a model wrote; see `posttrain doctor`:{details}\n"
        "sandbox: none runs them unprotected: with your rights, on your files"
    )
