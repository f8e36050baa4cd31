"""The reference of the run file: every key with its type, default and meaning."""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.config.aliases import REMEDIES, alias
from posttrain.config.outline import canonical, fields, kind_at, section
from posttrain.config.schema import Data, RunFile
from posttrain.config.section import Section
from posttrain.config.type_text import default_text, type_text
from posttrain.errors import ConfigError, suggestion


@dataclass(frozen=True)
class Key:
    """One key of a run file; entries of a list have the number N. `default` is YAML text or `required`.

    `default` is empty for a section whose keys have defaults of their own.
    """

    name: str
    type: str
    default: str
    meaning: str

    @property
    def section(self) -> str:
        """The name of the section that the key belongs to; "" at the top of the file."""
        return self.name.rpartition(".")[0]


def keys(prefix: str = "") -> list[Key]:
    """Return every key, or those that a prefix names or begins: `train`, `train.keep`, `model.lo`.

    Raises ConfigError if there is none.
    """
    every = [
        Key(name, type_text(field), default_text(field), " ".join((field.description or "").split()))
        for name, field in fields()
    ]
    named = [key for key in every if key.name == prefix or key.name.startswith(f"{prefix}.")]
    chosen = named or [key for key in every if key.name.startswith(prefix)]
    if not chosen and (target := prefix and alias(prefix.split("."))):
        raise ConfigError(f"{prefix!r} is called {'.'.join(target)!r} here")
    if not chosen and prefix in REMEDIES:
        raise ConfigError(f"{prefix!r} is not a key of the run file; {REMEDIES[prefix]}")
    if not chosen:
        raise ConfigError(f"no key of the run file begins with {prefix!r}{suggestion(prefix, [k.name for k in every])}")
    return chosen


def owner_of(name: str) -> type[Section]:
    """Return the class of a section by its name: `""` is the run file, `rewards.N` an entry of `rewards`."""
    return Data if name == "data" else section(kind_at(canonical(tuple(name.split("."))))) or RunFile
