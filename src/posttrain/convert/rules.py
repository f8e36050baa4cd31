"""What a key of another trainer becomes: one rule a key, in tables that the converter and the documents read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posttrain.convert.draft import Draft
    from posttrain.convert.settings import Settings


class UnsupportedError(ValueError):
    """A value that nothing here corresponds to; the text says why. `nearest` is the value that comes closest."""

    def __init__(self, why: str, nearest: Any = None) -> None:
        super().__init__(why)
        self.nearest = nearest


def same(value: Any) -> Any:
    """Return the value as it is."""
    return value


@dataclass(frozen=True)
class Becomes:
    """The key becomes `key` of the run file, its value through `value`; `note` says where the meaning differs."""

    key: str
    value: Callable[[Any], Any] = same
    note: str = ""


@dataclass(frozen=True)
class Joined:
    """The key is read together with others for `key`; `note` says how."""

    key: str
    note: str


@dataclass(frozen=True)
class Without:
    """The key has no counterpart. With the values in `off` nothing is lost."""

    why: str
    off: tuple[Any, ...] = (None, False)


@dataclass(frozen=True)
class Idle:
    """The key changes nothing in what is learned here."""

    why: str


Rule = Becomes | Joined | Without | Idle


def each(names: str, rule: Rule) -> dict[str, Rule]:
    """Return one rule for several keys, whose names are separated by spaces."""
    return dict.fromkeys(names.split(), rule)


@dataclass(frozen=True)
class Peer:
    """Another trainer: the rules of its keys, and the function that joins those that belong together.

    A rule whose name ends with a dot is for all keys of a mapping. `flattened` names the mappings whose keys have
    dotted names in the rules; `None` stands for all. `former` are keys of older versions.
    """

    name: str
    rules: Mapping[str, Rule]
    assemble: Callable[[Settings, Draft], None]
    flattened: tuple[str, ...] | None = ()
    former: frozenset[str] = field(default_factory=frozenset)

    def rule(self, key: str) -> Rule | None:
        """Return the rule of a key, or that of the innermost mapping around it, whose name ends with a dot."""
        if key in self.rules:
            return self.rules[key]
        parts = key.split(".")
        around = (".".join(parts[:n]) + "." for n in range(len(parts) - 1, 0, -1))
        return next((self.rules[name] for name in around if name in self.rules), None)
