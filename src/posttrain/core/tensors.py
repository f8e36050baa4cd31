"""The vocabulary of tensors, and the two containers that cut and join them: Rows and Batch.

All sequences of a batch lie end to end. Axes: T tokens, B rows (sequences), N pairs, "" one number; after them V
vocabulary, K numbers of one head (members, attributes, quantiles), D hidden width. The first letter of a tensor's axes
says how it follows when the batch is cut.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ConfigError
from posttrain.seeds import seed_for


class When(IntEnum):
    """The time at which a tensor exists."""

    DATA = 0  # arrives with the records
    ONCE = 1  # once per batch, before the passes; no gradient
    STEP = 2  # once per optimiser step, on its whole minibatch; no gradient
    LIVE = 3  # with every micro-batch; carries gradient if its model is trained
    END = 4  # once per batch, after the passes; no gradient


@dataclass(frozen=True)
class Source:
    """Which output of which model a tensor is, and when it is computed. `size`: numbers that the model's head gives."""

    model: str
    output: str
    when: When
    size: int = 1


@dataclass(frozen=True)
class Field:
    """One name of the vocabulary. Without a source it is a column of the data, or the method derives it.

    With a source and `column`, a column of the data of this name takes the place of the model.
    """

    axes: str
    doc: str
    source: Source | None = None
    column: bool = False


def live(axes: str, doc: str, model: str, output: str, *, size: int = 1) -> Field:
    """An output of a model with every micro-batch, with gradient if the model is trained."""
    return Field(axes, doc, Source(model, output, When.LIVE, size))


def once(axes: str, doc: str, model: str, output: str, *, size: int = 1, column: bool = False) -> Field:
    """An output of a model once per batch, without gradient."""
    return Field(axes, doc, Source(model, output, When.ONCE, size), column)


def head(name: str, model: str, output: str, doc: str, axes: str = "T") -> dict[str, Field]:
    """A trained output and the same before the update: {name, old_name}."""
    return {
        name: live(axes, doc, model, output),
        f"old_{name}": once(axes, f"{doc}, before the update", model, output),
    }


# Index t of logp, logits, entropy and value belongs to the PREDICTION of tokens[t]: it comes from the state before it.
FIELDS: dict[str, Field] = {
    "tokens": Field("T", "token ids, all rows end to end"),
    "rows": Field("T", "which row each token is in, and which tokens are trained"),
    "written": Field("T", "the same rows with the tokens that the model wrote, trained or not"),
    "row_id": Field("B", "stable id of the row"),
    "group": Field("B", "id of the prompt that the row answers"),
    "author": Field("B", "which entry of the stream's sampling wrote the row"),
    "ended": Field("B", "the row stopped by itself, not at the limit of tokens"),
    "temperature": Field("B", "temperature that the row was sampled at; log-probs are of that distribution"),
    "max_tokens": Field("", "limit of tokens of a sampled answer"),
    "pairs": Field("N 2", "row numbers (preferred, rejected)"),
    "label": Field("B", "desirable or not"),
    "rank": Field("B", "place of the answer among those to the same prompt, 0 is the best"),
    "margin": Field("B", "by how much the preferred answer of the pair is better"),
    "safe": Field("B", "1 if the answer is safe, 0 if not"),
    "relevance": Field("T", "how much the segment that the token is in matters to the judgement"),
    "rollout_logp": Field("T", "log-prob under the distribution that the token was drawn from"),
    "seed": Field("", "random seed of this batch"),
    "step": Field("", "number of this batch; schedules read it"),
    "token_reward": Field("T", "reward after each token"),
    "advantage": Field("T", "credit of each token"),
    "returns": Field("T", "target of the critic"),
    **head("logp", "policy", "logp", "policy log-prob of the token"),
    **head("value", "critic", "value", "value of the critic"),
    "logits": live("T V", "policy logits", "policy", "logits"),
    "entropy": live("T", "policy entropy", "policy", "entropy"),
    "score": live("B", "score of the reward model in training", "reward", "score"),
    "ref_logits": live(
        "T V", "reference logits; too large to keep, so made with each micro-batch", "reference", "logits"
    ),
    "ref_logp": once("T", "log-prob under the reference", "reference", "logp"),
    "reward": once("B", "scalar reward", "reward", "score", column=True),
    "model_reward": once("B", "score of the reward model, beside the rewards of the run", "reward", "score"),
    "cost": once("B", "scalar cost, > 0 is unsafe", "cost", "score", column=True),
}
FROZEN = frozenset({"reference", "teacher"})  # roles whose LIVE tensors never carry gradient
LINKS = ("pairs", "group")  # tensors that tie rows together
BY_TRAINER = frozenset({"seed", "step"})


@dataclass(frozen=True, eq=False)
class Rows:
    """The only way between tokens [T] and rows [B]. Every method ignores the tokens outside the mask."""

    index: Tensor  # [T] row number of each token; rows are contiguous and in order
    mask: Tensor  # [T] bool
    count: int

    @property
    def sizes(self) -> Tensor:
        """All tokens of each row, masked or not: [B]."""
        return torch.bincount(self.index, minlength=self.count)

    def sum(self, x: Tensor) -> Tensor:
        """[T] -> [B]"""
        masked = torch.where(self.mask, x, 0)
        return torch.segment_reduce(masked, "sum", lengths=self.sizes, unsafe=True, initial=0)

    def length(self) -> Tensor:
        """Number of masked-in tokens of each row: [B]."""
        return torch.bincount(self.index[self.mask], minlength=self.count)

    def mean(self, x: Tensor) -> Tensor:
        """[T] -> [B]; 0 for a row without tokens."""
        return self.sum(x) / self.length().clamp(min=1)

    def spread(self, v: Tensor) -> Tensor:
        """[B] -> [T]; 0 outside the mask."""
        return torch.where(self.mask, v[self.index], 0)

    @property
    def trained(self) -> Tensor:
        """Rows with at least one token in the mask: [B] bool. The others never count."""
        return self.length() > 0

    def position(self) -> Tensor:
        """Number of each masked-in token within its row, 0 for the first: [T]; 0 outside the mask."""
        place, _, number = self._steps()
        return torch.zeros_like(self.index).index_copy(0, place, number)

    def at_last(self, v: Tensor) -> Tensor:
        """[B] -> [T], at the last masked-in token of each row, 0 elsewhere."""
        place, row, number = self._steps()
        last = number == self.length()[row] - 1
        return v.new_zeros(len(self.index)).index_copy(0, place[last], v[row[last]])

    def next(self, x: Tensor) -> Tensor:
        """[T] -> [T], x at the next masked-in token of the row; 0 after the last."""
        place, row, _ = self._steps()
        same = row[:-1] == row[1:]
        return x.new_zeros(len(self.index)).index_copy(0, place[:-1][same], x[place[1:][same]])

    def discount(self, x: Tensor, rate: float) -> Tensor:
        """[T] -> [T], sum_{k>=t} rate^(k-t) x_k over the masked-in tokens of the row."""
        place, row, number = self._steps()
        if not len(place):
            return torch.zeros_like(x)
        grid = x.new_zeros(self.count, int(self.length().max())).index_put((row, number), x[place])
        columns = [grid[:, -1]]
        for t in range(grid.shape[1] - 2, -1, -1):
            columns.append(grid[:, t] + rate * columns[-1])
        flat = torch.stack(columns[::-1], 1)[row, number]
        return x.new_zeros(len(self.index)).index_copy(0, place, flat)

    def _steps(self) -> tuple[Tensor, Tensor, Tensor]:
        """Flat places of the masked-in tokens, the row of each, and its number within the row."""
        place, length = self.mask.nonzero()[:, 0], self.length()
        row = self.index[place]
        first = length.cumsum(0) - length
        return place, row, torch.arange(len(place), device=place.device) - first[row]

    def prefix_length(self) -> Tensor:
        """Tokens before the first masked-in one, at most all but the last of the row: [B]."""
        sizes, place = self.sizes, self.mask.nonzero()[:, 0]
        first = (sizes.cumsum(0) - 1).scatter_reduce(0, self.index[place], place, "amin")
        return (first - (sizes.cumsum(0) - sizes)).clamp(min=0)

    def prefixes(self, tokens: Tensor) -> list[bytes]:
        """The tokens of each row before its first masked-in one, as bytes: equal bytes are equal tokens."""
        flat, width = tokens.cpu().numpy().tobytes(), tokens.element_size()
        starts = (self.sizes.cumsum(0) - self.sizes).tolist()
        return [flat[s * width : (s + n) * width] for s, n in zip(starts, self.prefix_length().tolist(), strict=True)]

    def take(self, tokens: Tensor, place: Tensor, count: int) -> Rows:
        return Rows(place[self.index[tokens]], self.mask[tokens], count)


@dataclass(frozen=True, eq=False)
class Batch(Mapping[str, Any]):
    """Named tensors of one stream. The axes of each say how it follows the rows when the batch is cut.

    `cotangents`: what the loss of the whole minibatch sends back to a model output of this name; cut likewise.
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
        """The batch with more tensors, cleaned."""
        tensors = {**self.tensors, **self.clean(values, axes)}
        return replace(self, tensors=tensors, axes={**self.axes, **{n: axes[n] for n in values}})

    def clean(self, values: Mapping[str, Any], axes: Mapping[str, str]) -> dict[str, Any]:
        """Where nothing was written NaN and inf become 0: Rows alone cannot stop them, because 0 * NaN = NaN in the
        backward pass."""

        def cleaned(name: str, x: Any) -> Any:
            if axes[name][:1] != "T" or not isinstance(x, Tensor):
                return x
            kept = self["rows"].mask | self["written"].mask
            if axes[name] != "T":  # too large to copy for nothing
                odd = ~kept & ~x.detach().isfinite().all(-1)
                return torch.where(odd[:, None], 0, x) if bool(odd.any()) else x
            return torch.where(kept | x.isfinite(), x, 0)

        return {n: cleaned(n, x) for n, x in values.items()}

    def with_cotangents(self, values: Mapping[str, Tensor], axes: Mapping[str, str]) -> Batch:
        """The same batch, with what comes back to these model outputs."""
        return replace(self, axes={**self.axes, **{n: axes[n] for n in values}}, cotangents=values)

    def only(self, names: Collection[str]) -> Batch:
        """The batch with these of its tensors."""
        return replace(self, tensors={n: x for n, x in self.tensors.items() if n in names})

    def to(self, device: torch.device) -> Batch:
        def move(x: Any) -> Any:
            if isinstance(x, Rows):
                return Rows(x.index.to(device), x.mask.to(device), x.count)
            return x.to(device) if isinstance(x, Tensor) else x

        moved = {n: move(x) for n, x in self.tensors.items()}
        return Batch(moved, self.axes, {n: move(x) for n, x in self.cotangents.items()})

    def select(self, chosen: Sequence[int]) -> Batch:
        """These rows in this order. A pair may not be cut in two (ValueError)."""
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
        """Rows that must stay together: connected through the pairs or groups that are read after the cut."""
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

    def pack(self, links: Collection[str], max_tokens: int, repeated: float = 1.0) -> list[Batch]:
        """Micro-batches: whole units, in order, at most `max_tokens` tokens each (ConfigError if a unit is larger).

        They are as few as can be, and then the largest is as small as can be, since memory follows the largest.
        A prefix with which an earlier row of the micro-batch begins as well counts `repeated` times its length.
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
        packs = fill(max_tokens)
        if len(packs) == 1:
            return [self]
        enough = bisect_left(range(least, max_tokens), True, key=lambda limit: len(fill(limit)) == len(packs))
        return [self.select(pack) for pack in fill(least + enough)]

    def without_spectators(self, links: Collection[str]) -> Batch:
        """Drop the units that hold no trained token: opponents and baselines have done their work once the
        derived tensors are made."""
        trained = self["rows"].trained.tolist()
        kept = [r for unit in self.units(links) if any(trained[r] for r in unit) for r in unit]
        return self if len(kept) == len(trained) else self.select(kept)

    def deal(self, links: Collection[str], hands: int, seed: int) -> list[Batch]:
        """Minibatches: whole units, dealt by a hash of their row ids, so the order of the rows does not matter. Within
        each they keep the order of the batch, in which rows that begin alike stand together."""
        if hands == 1:
            return [self]
        ids = self["row_id"].tolist()
        units = sorted(self.units(links), key=lambda unit: seed_for(seed, min(ids[r] for r in unit)))
        if len(units) < hands:
            tied = f" tied by {', '.join(sorted(links))}" if links else ""
            raise ConfigError(
                f"{hands} minibatches were asked of a batch that holds only {len(units)} units{tied}: "
                "raise train.prompts_per_step or lower the method's minibatches"
            )
        cuts = [i * len(units) // hands for i in range(hands + 1)]
        return [self.select(sorted(r for u in units[a:b] for r in u)) for a, b in itertools.pairwise(cuts)]


def keyed_uniform(seed: int, ids: Tensor) -> Tensor:
    """A uniform number per id that depends on nothing else: not on the order, the split or the worker."""
    numbers = [seed_for(seed, i) / 2**56 for i in ids.tolist()]
    return torch.tensor(numbers, dtype=torch.float64, device=ids.device)
