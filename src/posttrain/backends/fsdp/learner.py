"""The learner of several processes: one controller, which deals the micro-batches of every step to all of them.

    gradient of a step = Σ over processes, micro-batches of (sum of the term) / (count of the whole step)

Counts are made before anything is cut, so the number of processes does not show, as that of micro-batches does not.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.pace import Pace
from posttrain.backends.fsdp.sharded import ShardedLearner, Work
from posttrain.backends.fsdp.shards import FOLDER
from posttrain.backends.fsdp.skeleton import emptied
from posttrain.backends.local.optimiser import AdamW
from posttrain.backends.protocol import Direction, Learner, Share, Snapshot
from posttrain.core.batch import Batch
from posttrain.core.plan import Plan
from posttrain.core.reduce import Counts
from posttrain.core.vocabulary import Source, When
from posttrain.errors import ModelError
from posttrain.machine.disk import Files
from posttrain.models.loading.classifier import build_shapes, warn_of_constants
from posttrain.models.loading.save import save
from posttrain.models.merging.merge import Merge
from posttrain.models.network import Network
from posttrain.models.quantised import QuantisedLinear


class FsdpLearner(Learner):
    """Every model is divided over the processes of a group; every minibatch is dealt to them.

    `models` are networks of this process, whose weights are copied and then let go.
    """

    part: type[ShardedLearner] = ShardedLearner  # what each process does

    def __init__(
        self,
        group: Group,
        models: Mapping[str, nn.Module],
        *,
        tokenizer: Any = None,
        optimiser: AdamW | None = None,
        tokens_per_device: int = 16384,
        seed: int = 0,
        sharded_checkpoints: bool = False,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        for role, module in models.items():
            if not isinstance(module, Network) or any(isinstance(m, QuantisedLinear) for m in module.modules()):
                raise ModelError(f"models.{role}: backend: fsdp takes language models that are not quantised")
            if module.originals:
                raise ModelError(
                    f"models.{role}: backend: fsdp does not train whole weights beside adapters; remove "
                    "lora.modules_to_save, or set backend: local"
                )
        self.group = group
        self.tokenizer = tokenizer
        self.sharded_checkpoints = sharded_checkpoints
        self.pace = Pace()
        self.number = group.make(
            self.part,
            emptied(dict(models), list(models.values())),
            {"optimiser": optimiser, "tokens_per_device": tokens_per_device, "seed": seed},
        )
        weakref.finalize(self, group.drop, self.number)
        self.local.progress = progress or self.local.progress
        self._call("fill", each=[models, *[None] * (group.size - 1)])

    @property
    def local(self) -> ShardedLearner:
        """This process's share of the work."""
        return cast(ShardedLearner, self.group.objects[self.number])

    def _call(self, verb: str, *arguments: Any, each: Sequence[Any] = ()) -> Any:
        return self.group.call(self.number, verb, *arguments, each=each)

    @property
    def models(self) -> dict[str, Any]:
        """The networks by role, of which this process holds its part."""
        return self.local.models

    @property
    def version(self) -> int:
        """Number of times that weights have changed."""
        return self.local.version

    # ---- models

    def prepare(self, plan: Plan) -> None:
        """Create the models that the plan needs, with optimisers and averages. Raises ConfigError or ModelError."""
        self._call("prepare", plan)

    def sizes(self, role: str) -> tuple[int, int]:
        """Number of parameters of a role that are trained, and of all."""
        return self.local.sizes(role)

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Copy the weights of `source` to `target`; with share < 1, interpolate that far towards them."""
        self._call("copy", source, target, share)

    def merge(self, sources: Sequence[str], target: str, merge: Merge, base: str | None = None) -> None:
        """Give `target` the weights that the models `sources` become, as differences from `base` if it is given."""
        self._call("merge", list(sources), target, merge, base)

    def move(self, source: str, target: str, along: Sequence[tuple[Direction, float]]) -> None:
        """Set the weights of `target` to those of `source` plus the weighted sum of directions."""
        self._call("move", source, target, list(along))

    def set_head(self, role: str, name: str, weight: Tensor) -> None:
        """Give a role a head, or another one, with these weights [K, D] and no bias."""
        self._call("set_head", role, name, weight)

    def stop_at(self, tokens: frozenset[int]) -> None:
        """Let the models that are written from now on name these tokens as the ends of an answer."""
        self.local.stop_at(tokens)

    def save(self, role: str, folder: Path) -> None:
        """Write the model of a role, with the tokenizer."""
        network = self._whole(role)
        save(network, self.tokenizer, folder)
        warn_of_constants(network, folder)

    def _whole(self, role: str) -> Network:
        return cast(Network, self._call("whole", role))

    def close(self) -> None:
        """End the other processes."""
        self.group.close()

    # ---- measuring and differentiating

    def forward(self, batch: Batch, wants: Mapping[str, Source]) -> dict[str, Tensor]:
        """Compute model outputs without gradient, dealt to the processes micro-batch by micro-batch.

        Raises ConfigError for unknown roles, and ModelError for a head that is missing or has another size.
        """
        if not wants:
            return {}
        self.local.check_roles(wants)
        read = batch.only(("tokens", "rows", "written", "temperature"))
        made = self._call("outputs", dict(wants), each=self._deal(read, (), wants))
        in_order = [outputs for turn in zip(*map(_padded(made), made), strict=True) for outputs in turn if outputs]
        return {n: torch.cat([outputs[n] for outputs in in_order]).to(batch["tokens"].device) for n in wants}

    def measure(self, plan: Plan, stream: str, mini: Batch, counts: Counts) -> Share:
        """Compute what `accumulate` returns, without gradient."""
        return self._add(plan, stream, mini, counts, fresh=True, train=False)

    def accumulate(self, plan: Plan, stream: str, mini: Batch, counts: Counts, *, fresh: bool) -> Share:
        """Run forward and backward on the micro-batches of a minibatch, and return the summed loss and metrics."""
        return self._add(plan, stream, mini, counts, fresh=fresh, train=True)

    def _add(self, plan: Plan, stream: str, mini: Batch, counts: Counts, *, fresh: bool, train: bool) -> Share:
        share, wants = Share(), plan.forwards.get((When.LIVE, stream), {})
        work = self._deal(mini, plan.links(stream), wants)
        for part in self._call("add", plan, stream, dict(counts), fresh, train, each=work):
            share.add(part.loss, part.metrics)
        return share

    def _deal(self, batch: Batch, links: Any, wants: Mapping[str, Source]) -> list[Work]:
        """Deal micro-batches to the processes in turn. Who has one less computes the smallest again, and it is 0."""
        micros = self.local.packed(batch, links, wants, ways=self.group.size)
        company = min(micros, key=lambda m: len(m["tokens"]), default=batch)
        turns = -(-len(micros) // self.group.size) * self.group.size
        dealt = [(m, True) for m in micros] + [(company, False)] * (turns - len(micros))
        return [dealt[rank :: self.group.size] for rank in range(self.group.size)]

    # ---- updating

    def step(self, rates: Mapping[str, float]) -> dict[str, float]:
        """Update all models and averages; return the gradient norms. Raises NumericsError if one is not finite."""
        norms, seconds = self._call("update", dict(rates))
        self.pace.add(seconds)
        return cast(dict[str, float], norms)

    def metrics(self) -> dict[str, float]:
        """Return how many times as long as the others the slowest process takes for the same work."""
        return self.pace.metrics()

    def discard(self) -> None:
        """Drop the accumulated gradient of all models."""
        self._call("discard")

    def state(self) -> dict[str, Any]:
        """Copy the changed weights, the optimisers and the averages."""
        return cast(dict[str, Any], self._call("gathered"))

    def snapshot(self, role: str, *, last: bool = False) -> Snapshot:  # noqa: ARG002 (weights are copied anyway)
        """Copy the state and the model of a role into host memory; sharded, each process its part of the state."""
        if self.sharded_checkpoints:
            return Snapshot(self._call("stage"), self._write)
        network = self._whole(role)
        build_shapes(network)
        return Snapshot(self.state(), partial(save, network, copy.deepcopy(self.tokenizer)))

    def _write(self, folder: Path) -> Files:
        self.local.shards.write(folder / FOLDER)
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load weights, optimisers and averages of a state. Raises ModelError if it belongs to another model."""
        self._call("restore", each=[state, *[_shapes(state)] * (self.group.size - 1)])


def _padded(made: Sequence[Sequence[Any]]) -> Callable[[Sequence[Any]], list[Any]]:
    longest = max(map(len, made), default=0)
    return lambda outputs: [*outputs, *[None] * (longest - len(outputs))]


def _shapes(value: Any) -> Any:
    """A nested state without the values of its tensors."""
    if isinstance(value, Tensor):
        return torch.empty_like(value, device="meta")
    if isinstance(value, Mapping):
        return {k: _shapes(v) for k, v in value.items()}
    return [_shapes(v) for v in value] if isinstance(value, list) else value
