"""What the reference becomes when a round of a procedure is over."""

from __future__ import annotations

from posttrain.errors import ConfigError, suggestion
from posttrain.training.session import Session

RULES = ("never", "round", "lag")


def begin(session: Session, rule: str | float) -> None:
    """Before the first round the reference is the policy, whatever the rule."""
    if isinstance(rule, str) and rule not in RULES:
        raise ConfigError(
            f"procedure.reference: unknown rule {rule!r}{suggestion(rule, RULES)}; rules are {', '.join(RULES)}, "
            "or the share of the way that it moves towards the policy (0.1)"
        )
    if not isinstance(rule, str) and not 0 < rule <= 1:
        raise ConfigError(f"procedure.reference: {rule} is no share of the way to the policy; give one in (0, 1]")
    session.copy("policy", "reference")
    if rule == "lag":
        session.copy("policy", "next_reference")


def refresh(session: Session, rule: str | float) -> None:
    """never: it stays. round: the policy. lag: the policy a round ago. 0.1: a tenth of the way to the policy."""
    if rule == "round":
        session.copy("policy", "reference")
    elif rule == "lag":
        session.copy("next_reference", "reference")
        session.copy("policy", "next_reference")
    elif not isinstance(rule, str):
        session.copy("policy", "reference", float(rule))
