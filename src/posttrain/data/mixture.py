"""Several sources as one dataset: one after the other, or mixed by weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from posttrain.data.dataset import Dataset, load
from posttrain.data.notices import Notices
from posttrain.data.ordering import Mixture, difficulties


def load_mixture(
    sources: Sequence[Mapping[str, Any]],
    kind: str,
    *,
    order: str = "shuffled",
    read: Callable[..., Dataset] = load,
    **how: Any,
) -> Dataset:
    """Load every source and join them. With a `weight` each they are mixed: see ordering.Mixture.

    `sources`: {"path", "weight", and settings that replace those of `how`}. `read`, `how`: what
    loads one source, and how: dataset.load and its settings.
    """
    weights = [s["weight"] for s in sources if s.get("weight") is not None]
    parts = [
        read(s["path"], kind, order=order, part=("source", k) if k else (), **how | _own(s))
        for k, s in enumerate(sources)
    ]
    records = tuple(r for part in parts for r in part)
    mixture = None
    if len(weights) == len(sources):
        total = sum(weights)
        source_of = {r.id: k for k, part in enumerate(parts) for r in part}
        mixture = Mixture(tuple(w / total for w in weights), source_of)
    return Dataset(
        records,
        name=" + ".join(s["path"] for s in sources),
        dropped=tuple(message for part in parts for message in part.dropped),
        invalid=parts[0].invalid,
        truncate=parts[0].truncate,
        notices=Notices({f"{p.name}: {text}": x for p in parts for text, x in p.notices.counts.items()}),
        difficulty=difficulties(records, order),
        mixture=mixture,
    )


def _own(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a source has of its own."""
    return {name: value for name, value in source.items() if name not in ("path", "weight") and value is not None}
