"""Batches and models for any method, generated from nothing but its record.

Use it for what every method must hold to: it needs no line for the next new file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from posttrain.core.batch import Batch
from posttrain.core.method import Method, Stream
from posttrain.core.plan import Plan, plan
from posttrain.core.vocabulary import BY_TRAINER
from posttrain.data.collate import collate
from posttrain.records import Numbers, Row
from posttrain.training.trainer import Trainer
from tests.harness.networks import VOCABULARY, TinyNet
from tests.harness.numbers import Lookup
from tests.harness.recorder import Recorder

GROUPS, MAX_TOKENS, ATTRIBUTES = 5, 8, 5
WIDTH = 4  # of states and of heads without a size of their own
Batches = dict[str, Batch]


def reads(method: Method) -> set[str]:
    """Every tensor that some part of the method names."""
    parts = [*method.derived.values(), *method.loss.values(), *method.metrics.values()]
    return set().union(*(p.part.needs for p in parts))


def batches(method: Method, seed: int = 0, vocabulary: int | None = VOCABULARY) -> Batches:
    """One batch of every stream. Without a vocabulary every token has an id of its own, for tables."""
    data: Batches = {}
    maker = _Maker(method, seed, vocabulary)
    for name, stream in method.streams.items():
        data[name] = maker.batch(stream)
    return data


class _Maker:
    def __init__(self, method: Method, seed: int, vocabulary: int | None) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.vocabulary, self.used = vocabulary, 0
        known = method.vocabulary
        stored = set().union(*(s.kind.tensors for s in method.streams.values())) | BY_TRAINER | set(method.derived)
        extra = {n: known[n].axes for n in sorted(reads(method)) if known[n].source is None and n not in stored}
        self.extra = {n: axes for n, axes in extra.items() if axes in ("T", "B")}
        self.several = [n for n, axes in extra.items() if axes == "B K"]
        heads = [known[n].source.size for n in reads(method) if known[n].axes == "B K" and known[n].source]
        self.attributes = next((size for size in heads if size % ATTRIBUTES), ATTRIBUTES)
        self.beside = {n: axes for n, axes in extra.items() if axes not in ("T", "B", "B K")}

    def batch(self, stream: Stream) -> Batch:
        pairs = [(2 * i, 2 * i + 1) for i in range(6)] if stream.records == "pairs" else None
        other = {
            "prompts": lambda: self.answers(stream),
            "decisions": lambda: [self.action(i, i // 3) for i in range(12)],
        }
        rows = other.get(str(stream.records), lambda: [self.row() for _ in range(12)])()
        if stream.records == "ratings":
            rows = [_with(r, label=i % 3 > 0) for i, r in enumerate(rows)]
        if stream.records == "steps":
            rows = [_with(r, step_label=torch.rand(len(r.tokens), generator=self.generator).tolist()) for r in rows]
        if stream.records == "rankings":
            rows = [_with(r, group=7 * (i // 3) + 1, rank=i % 3) for i, r in enumerate(rows)]
        data = collate(rows, pairs, {"max_tokens": float(MAX_TOKENS)} if stream.records == "prompts" else None)
        sizes = {"": (), "N": (6,)}
        beside = {n: torch.rand(sizes[axes], generator=self.generator) for n, axes in self.beside.items()}
        return data.add(beside, self.beside)

    def answers(self, stream: Stream) -> list[Row]:
        """Groups of answers, each by every author of the stream."""
        rows = []
        for group in range(GROUPS):
            for author, how in enumerate(stream.sampling):
                for _ in range(min(how.samples, 3)):
                    row = self.row(how.train)
                    own = {"group": 7 * group + 1, "author": author, "ended": True, "temperature": 1.0}
                    rows.append(_with(row, **own, rollout_logp=[-1.0] * len(row.tokens)))
        return rows

    def action(self, i: int, decision: int) -> Row:
        """One of three actions; of two decisions of each conversation the second one was taken."""
        told = {
            "conversation": decision // 2,
            "moment": decision % 2,
            "duration": 1.0 + decision % 2,
            "reward": float(i),
        }
        return _with(self.row(i % 3 == 1), group=7 * decision + 1, words=1 + i % 2, **told)

    def row(self, train: bool = True) -> Row:
        """Two tokens of prompt, an answer, and in the middle of it one token that somebody else wrote."""
        length = int(torch.randint(6, 2 + MAX_TOKENS, (1,), generator=self.generator))
        written = tuple(i > 1 and i != 4 for i in range(length))
        first, self.used = self.used, self.used + length
        if self.vocabulary is None:
            tokens = tuple(range(first, first + length))
        else:
            tokens = tuple(torch.randint(0, self.vocabulary, (length,), generator=self.generator).tolist())
        columns: dict[str, Any] = {}
        for name, axes in self.extra.items():
            size = (length,) if axes == "T" else ()
            columns[name] = torch.rand(size, generator=self.generator).tolist()
        for name in self.several:  # one for each attribute of the methods' heads, one of them missing now and then
            numbers = torch.rand(self.attributes, generator=self.generator).tolist()
            columns[name] = Numbers(math.nan if first % 5 == i else x for i, x in enumerate(numbers))
        return Row(1000 + first, tokens, tuple(w and train for w in written), written, columns)


def _with(row: Row, **columns: Any) -> Row:
    return Row(row.id, row.tokens, row.trained, row.written, {**row.columns, **columns})


def planned(method: Method, data: Mapping[str, Batch]) -> Plan:
    return plan(method, {s: set(b) for s, b in data.items()})


def networks(method: Method, data: Mapping[str, Batch]) -> dict[str, torch.nn.Module]:
    """A transformer for every role whose outputs it knows, tables for the others."""
    known, models = {"logp", "logits", "entropy", "value", "score", "scores"}, {}
    for seed, role in enumerate(_roles(method, data)):
        outputs = _outputs(method, role)
        scores = outputs.get("scores", ("", 1))[1]
        models[role] = TinyNet(seed, scores=scores) if set(outputs) <= known else _table(outputs, VOCABULARY, seed)
    return models


def tables(method: Method, data: Mapping[str, Batch], scale: float = 1.0, seed: int = 0) -> dict[str, Lookup]:
    """Roles whose numbers are as large as `scale`, and NaN wherever nobody wrote: nothing may read those."""
    size = sum(len(b["tokens"]) for b in data.values())
    unwritten = torch.cat([b["tokens"][~b["written"].mask] for b in data.values()])
    models = {}
    for number, role in enumerate(_roles(method, data)):
        model = models[role] = _table(_outputs(method, role), size, 100 * seed + number, scale)
        for name, table in model.tables.items():
            if name not in model.per_row:
                table.data[unwritten] = math.nan
    return models


def _roles(method: Method, data: Mapping[str, Batch]) -> list[str]:
    return [r for r in planned(method, data).loaded if r not in method.averages]


def _outputs(method: Method, role: str) -> dict[str, tuple[str, int]]:
    """What a role is asked for: the axes, and how many numbers its head says."""
    known, owners = method.vocabulary, (role, *_averages(method, role))
    fields = [f for n in sorted(reads(method)) if (f := known[n]).source and f.source.model in owners]
    return {f.source.output: (f.axes, f.source.size or WIDTH) for f in fields if f.source}


def _averages(method: Method, role: str) -> list[str]:
    return [name for name, a in method.averages.items() if a.of == role]


def _table(outputs: Mapping[str, tuple[str, int]], size: int, seed: int, scale: float = 1.0) -> Lookup:
    """Log-probs are never positive, entropies never negative, everything else is anything."""
    generator = torch.Generator().manual_seed(seed)
    data: dict[str, Tensor] = {}
    for name, (axes, numbers) in outputs.items():
        width = {"V": (size,), "K": (numbers,), "D": (WIDTH,)}
        shape = (size, *width.get(axes[2:], ()))
        x = torch.randn(shape, generator=generator) * scale
        data[name] = -x.abs() if name == "logp" else x.abs() if name == "entropy" else x
    return Lookup(data, [n for n, (axes, _) in outputs.items() if axes[:1] == "B"])


def trained(
    method: Method,
    data: Mapping[str, Batch],
    models: Mapping[str, torch.nn.Module],
    tokens: int = 10**6,
    steps: int = 1,
) -> tuple[dict[str, float], Recorder, Trainer]:
    """Train on the batches. Returns the last metrics, and the gradients of every optimiser step in the learner."""
    learner = Recorder(models, tokens_per_device=tokens)
    roles = planned(method, data).trained
    arrives = {s: set(b) for s, b in data.items()}
    trainer = Trainer(plan(method, arrives), learner, rates=lambda _: dict.fromkeys(roles, 1e-3))
    for _ in range(steps):
        metrics = trainer.train(dict(data))
    return metrics, learner, trainer


def smallest_cut(method: Method, data: Mapping[str, Batch]) -> int:
    """The fewest tokens per micro-batch that keep together what must stay together."""
    p = planned(method, data)
    sizes = {s: b["rows"].sizes for s, b in data.items()}
    # Pairs that a method makes of sampled answers never leave their group.
    ties = {s: {k if k in b else "group" for k in p.links(s)} for s, b in data.items()}
    return max(int(sizes[s][unit].sum()) for s, b in data.items() for unit in b.units(ties[s]))


def shuffled(method: Method, data: Mapping[str, Batch]) -> Batches:
    """The same rows in another order."""
    generator = torch.Generator().manual_seed(9)
    return {s: b.select(torch.randperm(b["rows"].count, generator=generator).tolist()) for s, b in data.items()}
