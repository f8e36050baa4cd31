"""Which methods and procedures fit what a user has: by kind of data, by the models they need, or by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posttrain.catalogue import index
from posttrain.catalogue.index import Entry
from posttrain.catalogue.signature import Signature
from posttrain.core.kinds import kinds
from posttrain.core.plan import plan
from posttrain.errors import ConfigError, suggestion

WORDS = {  # what people call records of a kind
    "pairs": "pair preference preferences chosen rejected comparison comparisons",
    "ratings": "rating thumb thumbs label labels liked",
    "rankings": "ranking ranked",
    "demonstrations": "demonstration conversations messages completions instructions",
    "prompts": "prompt questions problems",
    "text": "",
}
FILLERS = "a an and data for from have i in method methods my need of only some the to use want what with"


@dataclass(frozen=True)
class Needs:
    """The kinds of data that a method or procedure reads, and what it needs besides the policy."""

    data: frozenset[str]
    models: frozenset[str] = frozenset()


def needs(entry: Entry) -> Needs:
    """Return what an entry of the catalogue reads. `reward` stands for reward functions or a reward model."""
    if entry.kind == "procedure":
        return Needs(frozenset(Signature(index.load_procedure(entry.path), own=("session",)).data) & set(kinds()))
    method = index.load(entry.path)
    return Needs(frozenset(s.kind.name for s in method.streams.values()), frozenset(plan(method).loaded) - {"policy"})


def chosen(entries: Sequence[Entry], data: Sequence[str], models: Sequence[str], words: Sequence[str]) -> list[Entry]:
    """Return the entries that read one of the kinds of data, need all of the models and contain all other words.

    Raises ConfigError for an unknown kind or model, or if nothing fits.
    """
    said = [word.lower() for word in words if word.lower() not in FILLERS.split()]
    asked = [*data, *(kind for kind, names in WORDS.items() if {kind, *names.split()} & set(said))]
    rest = [word for word in said if word not in {*kinds(), *" ".join(WORDS.values()).split()}]
    fitting = [e for e in entries if all(word in f"{e.path} {e.title} {e.text}".lower() for word in rest)]
    if asked or models:
        of = {e.path: needs(e) for e in entries}
        _check(asked, kinds(), "kind of data")
        _check(models, sorted(set().union(*(n.models for n in of.values()))), "model that a method needs")
        fitting = [e for e in fitting if not asked or of[e.path].data & set(asked)]
        fitting = [e for e in fitting if set(models) <= of[e.path].models]
    if not fitting:
        raise ConfigError(f"no method or procedure fits {' '.join((*asked, *models, *rest))!r}; leave something out")
    return fitting


def _check(given: Sequence[str], known: Sequence[str], what: str) -> None:
    for name in given:
        if name not in known:
            raise ConfigError(f"{name!r} is no {what}{suggestion(name, known)}; there are {', '.join(known)}")
