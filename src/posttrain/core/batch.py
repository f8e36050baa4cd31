"""A batch: the named tensors of one stream, which are selected, packed and split by row."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from posttrain.core.rows import Rows
from posttrain.errors import ConfigError
from posttrain.seeds import seed_for


@dataclass(frozen=True, eq=False)
class Batch(Mapping[str, Any]):
    """Named tensors of one stream. The axes of a tensor say how it is cut when rows are selected.

    `cotangents`: gradients of the whole-minibatch loss terms with respect to the model outputs of these names. They are
    cut like the tensors.
    """

    tensors: Mapping[str, Any]
    axes: Mapping[str, str]
    cotangents: Mapping[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def add(self, values: Mapping[str, Any], axes: Mapping[str, str]) -> Batch:
        """Return the batch with more tensors, after `clean`."""
        tensors = {**self.tensors, **self.clean(values, axes)}
        return replace(self, tensors=tensors, axes={**self.axes, **{n: axes[n] for n in values}})

    def clean(self, values: Mapping[str, Any], axes: Mapping[str, str]) -> dict[str, Any]:
        """Replace NaN and inf by 0 at tokens that are neither trained nor written.

        The mask of Rows alone does not stop them, because 0 * NaN = NaN in the backward pass.
        """

        def cleaned(name: str, x: Any) -> Any:
            if axes[name][:1] != "T" or not isinstance(x, Tensor):
                return x
            kept = self["rows"].mask | self["written"].mask
            if axes[name] != "T":  # too large to copy unless something must be replaced
                broken = ~kept & ~x.detach().isfinite().all(-1)
                return torch.where(broken[:, None], 0, x) if bool(broken.any()) else x
            return torch.where(kept | x.isfinite(), x, 0)

        return {n: cleaned(n, x) for n, x in values.items()}

    def with_cotangents(self, values: Mapping[str, Tensor], axes: Mapping[str, str]) -> Batch:
        """Return the batch with the gradients that arrive at these model outputs."""
        return replace(self, axes={**self.axes, **{n: axes[n] for n in values}}, cotangents=values)

    def only(self, names: Collection[str]) -> Batch:
        """Return the batch with only these tensors."""
        return replace(self, tensors={n: x for n, x in self.tensors.items() if n in names})

    def to(self, device: torch.device) -> Batch:
        """Return the batch with all tensors on a device."""

        def move(x: Any) -> Any:
            return x.to(device) if isinstance(x, Tensor | Rows) else x

        moved = {n: move(x) for n, x in self.tensors.items()}
        return Batch(moved, self.axes, {n: move(x) for n, x in self.cotangents.items()})

    def select(self, chosen: Sequence[int]) -> Batch:
        """Return these rows, in this order. Raises ValueError if that would cut a pair in two."""
        rows: Rows = self["rows"]
        device = rows.index.device
        ids = torch.as_tensor(list(chosen), dtype=torch.long, device=device)
        sizes = rows.sizes
        starts, length = sizes.cumsum(0) - sizes, sizes[ids]
        shift = starts[ids] - (length.cumsum(0) - length)
        tokens = torch.arange(int(length.sum()), device=device) + shift.repeat_interleave(length)
        place = torch.full((rows.count,), -1, device=device).index_copy(0, ids, torch.arange(len(ids), device=device))
        kept = self._whole_pairs(place) if "pairs" in self else None

        def cut(name: str, x: Any) -> Any:
            if isinstance(x, Rows):
                return x.take(tokens, place, len(ids))
            match self.axes[name][:1]:
                case "T":
                    return x[tokens]
                case "B":
                    return x[ids]
                case "N":
                    return place[x[kept]] if name == "pairs" else x[kept]
            return x

        chosen_tensors = {n: cut(n, x) for n, x in self.tensors.items()}
        return Batch(chosen_tensors, self.axes, {n: cut(n, x) for n, x in self.cotangents.items()})

    def _whole_pairs(self, place: Tensor) -> Tensor:
        inside = place[self["pairs"]] >= 0
        if (inside.any(1) != inside.all(1)).any():
            raise ValueError("a pair was cut in two; split by units(('pairs',))")
        return inside.all(1)

    def units(self, links: Collection[str]) -> list[list[int]]:
        """Return the sets of rows that must stay together: those connected by the pairs or groups named in `links`."""
        owner = list(range(self["rows"].count))

        def root(r: int) -> int:
            while owner[r] != r:
                r = owner[r]
            return r

        ties: list[tuple[int, int]] = [(a, b) for a, b in self["pairs"].tolist()] if "pairs" in links else []
        if "group" in links:
            first: dict[int, int] = {}
            ties += [(r, first.setdefault(g, r)) for r, g in enumerate(self["group"].tolist())]
        for a, b in ties:
            low, high = sorted((root(a), root(b)))
            owner[high] = low
        units: dict[int, list[int]] = {}
        for r in range(len(owner)):
            units.setdefault(root(r), []).append(r)
        return list(units.values())

    def pack(self, links: Collection[str], max_tokens: int, repeated: float = 1.0, ways: int = 1) -> list[Batch]:
        """Cut the batch into micro-batches: whole units, in order, of at most `max_tokens` tokens each.

        Their number is minimal; for several processes (`ways`), at most the next multiple of theirs. Among all cuts of
        that number, the largest micro-batch is minimal too, because it determines the peak memory. A prefix that an
        earlier row of the same micro-batch shares counts `repeated` times its length. Raises ConfigError if a unit
        alone is too large.
        """
        sizes: list[int] = self["rows"].sizes.tolist()
        prefixes, spare = [b""] * len(sizes), {b"": 0.0}
        if repeated < 1:
            prefixes = self["written"].prefixes(self["tokens"])
            lengths = self["written"].prefix_length().tolist()
            spare = {prefix: (1 - repeated) * n for prefix, n in zip(prefixes, lengths, strict=True)}
        units = self.units(links)

        def cost(unit: list[int], known: Collection[bytes] = ()) -> float:
            new = dict.fromkeys(prefixes[r] for r in unit if prefixes[r] not in known)
            return sum(sizes[r] - spare[prefixes[r]] for r in unit) + sum(spare[prefix] for prefix in new)

        def fill(limit: int) -> list[list[int]]:
            packs: list[list[int]] = []
            room, known = 0.0, set[bytes]()
            for unit in units:
                if not packs or cost(unit, known) > room:
                    packs.append([])
                    room, known = limit, set()
                packs[-1] += unit
                room -= cost(unit, known)
                known |= {prefixes[r] for r in unit}
            return packs

        largest = max(units, key=cost, default=[])
        least = math.ceil(cost(largest))
        if least > max_tokens:
            tied = f"{len(largest)} rows tied by {', '.join(sorted(links))} hold" if len(largest) > 1 else "a row holds"
            raise ConfigError(
                f"{tied} {least} tokens, but train.tokens_per_device is {max_tokens}: raise it to {least}, or shorten "
                "the rows"
            )
        number = math.ceil(len(fill(max_tokens)) / ways) * ways
        if number <= 1:
            return [self]
        enough = bisect_left(range(least, max_tokens), True, key=lambda limit: len(fill(limit)) <= number)
        return [self.select(pack) for pack in fill(least + enough)]

    def without_spectators(self, links: Collection[str]) -> Batch:
        """Drop the units without a trained token.

        Opponents and baselines are of no further use once the derived tensors have been computed.
        """
        trained = self["rows"].trained.tolist()
        kept = [r for unit in self.units(links) if any(trained[r] for r in unit) for r in unit]
        return self if len(kept) == len(trained) else self.select(kept)

    def deal(self, links: Collection[str], hands: int, seed: int) -> list[Batch]:
        """Split the batch into `hands` minibatches of whole units, shuffled by a hash of their row ids.

        The split does not depend on the order of the rows. Within a minibatch the rows keep the order of the batch, in
        which rows with a common prefix are neighbours. Raises ConfigError if there are fewer units than minibatches.
        """
        if hands == 1:
            return [self]
        ids = self["row_id"].tolist()
        units = sorted(self.units(links), key=lambda unit: seed_for(seed, min(ids[r] for r in unit)))
        if len(units) < hands:
            tied = f" tied by {', '.join(sorted(links))}" if links else ""
            raise ConfigError(
                f"{hands} minibatches cannot be cut from a batch of only {len(units)} units{tied}: "
                "raise train.prompts_per_step or lower the method's minibatches"
            )
        cuts = [i * len(units) // hands for i in range(hands + 1)]
        return [self.select(sorted(r for u in units[a:b] for r in u)) for a, b in itertools.pairwise(cuts)]


def keyed_uniform(seed: int, ids: Tensor) -> Tensor:
    """Return a uniform random number in [0, 1) per id: [len(ids)].

    It depends on the seed and the id alone, not on order, split or worker.
    """
    numbers = [seed_for(seed, i) / 2**56 for i in ids.tolist()]
    return torch.tensor(numbers, dtype=torch.float64, device=ids.device)


def keyed_rows(seed: int, ids: Tensor, width: int) -> Tensor:
    """Return `width` uniform random numbers in [0, 1) per id: [len(ids), width]. They depend on nothing else."""
    drawn = [torch.rand(width, generator=torch.Generator().manual_seed(seed_for(seed, i))) for i in ids.tolist()]
    return torch.stack(drawn).to(ids.device)


def temperature_of(batch: Batch) -> Tensor | float:
    """Return the temperature of each token: [T]; 1 for a batch that was not sampled."""
    if "temperature" not in batch:
        return 1.0
    row: Tensor = batch["temperature"][batch["rows"].index]
    return row
