"""A method on data and models that are tiny but awkward: tool tokens inside answers, opponents, untrained rows.

Use it to compare whole trainings: with independent code, across micro-batches and row orders, and after a resume.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from posttrain.backends.local.optimiser import AdamW
from posttrain.core.batch import Batch
from posttrain.core.method import Method
from posttrain.core.plan import plan
from posttrain.data.collate import collate
from posttrain.records import Row
from posttrain.training.trainer import Trainer
from tests.harness.networks import TinyNet
from tests.harness.recorder import Recorder
from tests.harness.reference import MAX_TOKENS

SMALL = 24  # tokens per device that force many micro-batches
LARGE = 10**9
RATE = 1e-2
ROLES = ("policy", "reference", "critic", "cost_critic", "reward", "cost")
Record = dict[str, Any]


def records(n: int, seed: int, first_id: int = 0, **columns: Callable[[int], Any]) -> list[Record]:
    """Rows of 4 to 8 tokens, the first two a prompt; in long ones the token at 3 is a tool's."""
    generator, out = torch.Generator().manual_seed(seed), []
    for i in range(n):
        length = int(torch.randint(4, 9, (1,), generator=generator))
        mask = [False, False] + [True] * (length - 2)
        if length > 5 and "group" in columns:
            mask[3] = False
        tokens = torch.randint(0, 8, (length,), generator=generator).tolist()
        out.append(
            {"tokens": tokens, "mask": mask, "id": first_id + i * 7 % 1009, **{k: f(i) for k, f in columns.items()}}
        )
    return out


def answers(method: Method) -> list[Record]:
    """Twelve answers to three prompts. Where the method has a second author, the first of each group is its."""
    second = len(method.streams["main"].sampling) > 1
    columns = {"group": lambda i: i // 4, "author": lambda i: int(second and i % 4 == 0)}
    if method.name not in ("grpo", "ppo", "safe_rlhf"):  # these ask the reward model
        columns["reward"] = lambda i: ((i * 5) % 7) / 3
    rows = records(12, 2, **columns)
    untrained = [r["author"] == 1 for r in rows]
    return [r | {"mask": [False] * len(r["mask"])} if u else r for r, u in zip(rows, untrained, strict=True)]


def data_for(method: Method) -> dict[str, list[Record]]:
    """Rows of every stream; those of a stream of pairs alternate preferred, rejected."""
    data = {}
    for number, (stream, described) in enumerate(method.streams.items()):
        first = 5000 * number
        match described.records:
            case "prompts":
                data[stream] = answers(method)
            case "ratings":
                data[stream] = records(12 - 4 * number, 1 + number, first, label=lambda i: i % 3 > 0)
            case _:
                data[stream] = records(12 - 4 * number, 1 + number, first)
    return data


def rows_of(data: list[Record]) -> list[Row]:
    extra = [{k: v for k, v in r.items() if k not in ("tokens", "mask", "id")} for r in data]
    return [
        Row(r["id"], tuple(r["tokens"]), tuple(r["mask"]), tuple(r["mask"]), columns)
        for r, columns in zip(data, extra, strict=True)
    ]


def networks(*, shared: bool = False) -> dict[str, TinyNet]:
    nets = {role: TinyNet(seed) for seed, role in enumerate(ROLES)}
    with torch.no_grad():  # a reference that is near the policy, as references are
        for p, q in zip(nets["reference"].parameters(), nets["policy"].parameters(), strict=True):
            p.copy_(q + 0.15 * p)
    return nets | ({"critic": nets["policy"]} if shared else {})


class Case:
    """One method, its data, and trainers for it that all start alike."""

    def __init__(self, method: Method, *, shared: bool = False) -> None:
        self.method, self.shared, self.data = method, shared, data_for(method)

    def batches(self, order: int | None = None) -> dict[str, Batch]:
        batches = {}
        for s, data in self.data.items():
            kind = self.method.streams[s].records
            pairs = [(i, i + 1) for i in range(0, len(data), 2)] if kind == "pairs" else None
            scalars = {"max_tokens": MAX_TOKENS} if kind == "prompts" else None
            batches[s] = collate(rows_of(data), pairs, scalars)
            if order is not None:
                shuffled = torch.randperm(len(data), generator=torch.Generator().manual_seed(order))
                batches[s] = batches[s].select(shuffled.tolist())
        return batches

    def trainer(self, tokens: int = LARGE, **settings: Any) -> Trainer:
        settings = {"max_grad_norm": 0.0} | settings
        learner = Recorder(networks(shared=self.shared), optimiser=AdamW(**settings), tokens_per_device=tokens)
        return Trainer(plan(self.method, self.batches()), learner, rates=lambda _: dict.fromkeys(ROLES, RATE), seed=5)

    def trained(self, batches: int, tokens: int = LARGE, order: int | None = None, **settings: Any) -> Trainer:
        """A trainer after that many batches."""
        trainer = self.trainer(tokens, **settings)
        for _ in range(batches):
            trainer.train(self.batches(order))
        return trainer

    def smallest(self) -> int:
        """Tokens of the largest unit: about one unit per micro-batch."""
        batches = self.batches()
        planned = plan(self.method, batches)
        units = [(s, u) for s, b in batches.items() for u in b.units(planned.links(s))]
        return max(sum(len(self.data[s][r]["tokens"]) for r in u) for s, u in units)


def parameters(trainer: Trainer) -> dict[str, Tensor]:
    models = trainer.learner.models
    return {f"{m}.{n}": p.detach().clone() for m in trainer.plan.trained for n, p in models[m].named_parameters()}


def distance(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """The largest difference of two sets of tensors, which must have the same names."""
    assert a.keys() == b.keys(), f"only one of the two has {sorted(a.keys() ^ b.keys())}"
    assert a
    return max(float((a[k] - b[k]).detach().abs().max()) for k in a)


def size(a: dict[str, Tensor]) -> float:
    return max(float(x.detach().abs().max()) for x in a.values())
