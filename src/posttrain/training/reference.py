"""Rules for the update of the reference after each round of a procedure."""

from __future__ import annotations

from posttrain.errors import ConfigError, suggestion

RULES = ("never", "round", "lag")


def check_rule(rule: str | float) -> None:
    """Raise ConfigError unless the rule is one of RULES, or a number in (0, 1]: the step towards the policy."""
    if isinstance(rule, str) and rule not in RULES:
        raise ConfigError(
            f"procedure.reference: unknown rule {rule!r}{suggestion(rule, RULES)}; rules are {', '.join(RULES)}, "
            "or how far it moves towards the policy, as a fraction (0.1)"
        )
    if not isinstance(rule, str) and not 0 < rule <= 1:
        raise ConfigError(f"procedure.reference: {rule} is no fraction of the way to the policy; give one in (0, 1]")
