"""Rules for what the reference becomes after each round of a procedure."""

from __future__ import annotations

from posttrain.errors import ConfigError, suggestion

RULES = ("never", "round", "lag")


def check_rule(rule: str | float) -> None:
    """Raise ConfigError unless it is one of RULES, or a share in (0, 1] of the way to the policy."""
    if isinstance(rule, str) and rule not in RULES:
        raise ConfigError(
            f"procedure.reference: unknown rule {rule!r}{suggestion(rule, RULES)}; rules are {', '.join(RULES)}, "
            "or the share of the way that it moves towards the policy (0.1)"
        )
    if not isinstance(rule, str) and not 0 < rule <= 1:
        raise ConfigError(f"procedure.reference: {rule} is no share of the way to the policy; give one in (0, 1]")
