"""`method`: how the policy learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from posttrain.config.code import Code
from posttrain.errors import ConfigError


class MethodRef(Code):
    """The method that the policy learns with, and its settings, whose names are those that `posttrain explain` lists.

    Settings have dotted names: `clipped_surrogate.high: 0.28`, nested or not.
    """

    dotted: ClassVar[bool] = True
    noun: ClassVar[str] = "method"

    @classmethod
    def expand(cls, value: Any) -> Any:
        value = super().expand(value)
        return _flat(value) if isinstance(value, Mapping) and "settings" not in value else value


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings under dotted names. Raises ConfigError for a setting that is given twice."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        inner = _flat(item, f"{name}.") if isinstance(item, Mapping) and item else {name: item}
        if twice := sorted(inner.keys() & flat.keys()):
            raise ConfigError(f"method.{twice[0]} is given twice, nested and with a dotted name")
        flat |= inner
    return flat
