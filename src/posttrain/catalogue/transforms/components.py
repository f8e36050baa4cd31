"""A method for several rewards at once: `method: {path: online/constrained_rlhf, components: [helpful, brief]}`.

The file of such a method is written for one reward: what is called NAME/reward belongs to it, the role `reward_critic`
too. This setting makes all of that once for each of the named rewards, and adds their advantages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, TypeVar

from posttrain.core.method import Derived, Method, Term, variant
from posttrain.core.parts import Part, PartError, part
from posttrain.core.vocabulary import Field
from posttrain.formulas.credit.constraints import plus

V = TypeVar("V")
OWN, CRITIC, ADVANTAGE = "/reward", "reward_critic", "advantage"


def composed(method: Method, names: Any) -> Method:
    """Return the method for the rewards of these names.

    Raises PartError for a method that trades nothing, and for names that are no list of different words.
    """
    if not any(name.endswith(OWN) for name in method.derived):
        raise PartError(f"method.components: {method.name} reads one reward, which is the sum of those of the run")
    words = isinstance(names, tuple) and all(isinstance(n, str) and n.isidentifier() for n in names)
    if not names or not words or len(set(names)) < len(names):
        raise PartError(f"method.components must be a list of names of different rewards, not {names!r}")
    advantage = method.derived[ADVANTAGE]
    shares = [_of(advantage.part, name) for name in names]
    total = replace(advantage, part=reduce(lambda one, two: part(plus, one=one, two=two), shares))
    scores = {f"reward_{n}": Field("B", f"score of {n!r}, one of the `rewards` of the run") for n in names}
    return variant(
        method,
        fields=_each(method.fields, names, _field) | scores,
        derived=_each(method.derived, names, _derived) | {ADVANTAGE: total},
        loss=_each(method.loss, names, _term),
        metrics=_each(method.metrics, names, _term),
    )


def _each(table: Mapping[str, V], names: tuple[str, ...], of: Callable[[V, str], V]) -> dict[str, V]:
    """The entries of a table, those of the one reward once for each name."""
    made: dict[str, V] = {}
    for key, entry in table.items():
        own = key.endswith(OWN)
        made |= {_called(key, name): of(entry, name) for name in names} if own else {key: entry}
    return made


def _field(field: Field, name: str) -> Field:
    """The output of the critic of the one reward as that of the reward `name`."""
    source = field.source
    if source is None or source.model != CRITIC:
        return field
    return replace(field, source=replace(source, model=f"{name}_critic"))


def _derived(derived: Derived, name: str) -> Derived:
    return replace(derived, part=_of(derived.part, name))


def _term(term: Term, name: str) -> Term:
    return replace(term, part=_of(term.part, name))


def _of(root: Part, name: str) -> Part:
    """The part of the one reward as that of the reward `name`."""
    binds = tuple((n, _called(b, name) if isinstance(b, str) else _of(b, name)) for n, b in root.binds)
    return Part(root.fn, binds, root.settings)


def _called(tensor: str, name: str) -> str:
    if tensor == "reward":
        return f"reward_{name}"
    return f"{tensor.removesuffix(OWN)}/{name}" if tensor.endswith(OWN) else tensor
