"""What one process of a group does of a learner: its part of the weights, its micro-batches, its part of the step.

All processes run the same calls in the same order, because each of them computes something together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.leaves import Leaf, mapped, paired
from posttrain.backends.fsdp.models import Models
from posttrain.backends.fsdp.optimiser import ShardedFollower, ShardedMerger, ShardedOptimiser
from posttrain.backends.fsdp.sharding import Parts, cut, local, whole
from posttrain.backends.fsdp.shards import FOLDER, Shards, read, shapes
from posttrain.backends.local.average import Follower
from posttrain.backends.local.descent import EARLIER, ancestor_of
from posttrain.backends.local.direction import drawn, movable
from posttrain.backends.local.heads import add_saved_heads, ensure_head
from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.merged import merged_tensors
from posttrain.backends.local.optimiser import Optimiser
from posttrain.backends.local.snapshot import check_fit
from posttrain.backends.local.step_merging import merger_of
from posttrain.backends.protocol import Direction, Share
from posttrain.core.batch import Batch
from posttrain.core.plan import Plan
from posttrain.core.reduce import Counts, micro_loss
from posttrain.core.vocabulary import Source, When
from posttrain.models.adapters import adapted
from posttrain.models.loading.stop import set_stop_tokens
from posttrain.models.merging.merge import Merge
from posttrain.models.network import Network
from posttrain.models.without_adapters import WithoutAdapters

Work = Sequence[tuple[Batch, bool]]  # micro-batches, and whether each counts or only keeps the others company


class ShardedLearner(LocalLearner):
    """A local learner whose networks are divided over the processes of a group.

    Callers give it whole batches through `learner.FsdpLearner`; what its methods are given here is this process's work.
    """

    def __init__(self, group: Group, skeletons: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        super().__init__({}, **settings)
        self.group = group
        self.sharded = Models(group)
        self.models = self.sharded.of(skeletons)
        self.shards = Shards(group)

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.group.device

    def fill(self, models: Mapping[str, nn.Module] | None) -> None:
        """Take the weights of whole models, which the first process has."""
        filled: set[int] = set()
        for role, module in self.models.items():
            if id(module) not in filled:
                values = dict(models[role].named_parameters()) if models is not None else {}
                Parts(module).fill(values, self.group)
            filled.add(id(module))

    # ---- models

    def prepare(self, plan: Plan) -> None:
        """Create the models of the plan, their heads, averages and optimisers. Raises ConfigError or ModelError."""
        for role in plan.trained:
            if role in self.models:
                self._widen(role)
        super().prepare(plan)

    def _widen(self, role: str) -> None:
        """Keep the weights of a model that is trained in float32: small steps add up."""
        old = self.models[role]
        if self.sharded.is_narrow(old):
            new = self.sharded.clone(old, wide=True)
            self.models.update({r: new for r, module in self.models.items() if module is old})

    def _copied(self, module: Any) -> Any:
        return self.sharded.clone(module)

    def _descend(self, plan: Plan, role: str) -> nn.Module:
        ancestor = ancestor_of(plan, role, self.models)
        if ancestor in self.changed:
            self.changed.add(role)
        module = self.models[ancestor]
        if role in EARLIER and adapted(module):
            return WithoutAdapters(module)
        made: nn.Module = self.sharded.clone(module, wide=role in plan.trained)
        return made.requires_grad_(role not in EARLIER)

    def _follower(self, name: str, plan: Plan) -> Follower:
        average = plan.method.averages[name]
        every = average.batches * plan.method.passes * plan.method.minibatches or 1
        return ShardedFollower(self.models[name], self.models[average.of], average.decay, every, self.group)

    def _optimiser(self, role: str, plan: Plan) -> Optimiser:
        module, merged = self.models[role], plan.method.merged_steps
        return ShardedOptimiser(
            module, self.settings, self.group, merger_of(merged, self.models, module, self.seed, ShardedMerger)
        )

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Copy the weights of `source` to `target`; with share < 1, interpolate that far towards them."""
        if share == 1.0:
            self.models[target] = self.sharded.clone(self.models[source])
        else:
            ShardedFollower(self.models[target], self.models[source], 1 - share, 1, self.group).step()
        self._moved(target)

    def merge(self, sources: Sequence[str], target: str, merge: Merge, base: str | None = None) -> None:
        """Give `target` the weights that the models `sources` become, as differences from `base` if it is given."""
        origin = None if base is None else self.models[base]
        tensors = merged_tensors({s: self.models[s] for s in sources}, merge, origin, read=lambda p: whole(local(p), p))
        made = self.sharded.clone(self.models[sources[0]])
        parts = Parts(made)
        for name, x in tensors:
            parts.local[name].data.copy_(cut(x, parts.full[name]))
        self.models[target] = made
        self._moved(target)

    @torch.no_grad()
    def move(self, source: str, target: str, along: Sequence[tuple[Direction, float]]) -> None:
        """Set the weights of `target` to those of `source` plus the weighted sum of directions."""
        self._version += 1
        if source != target:
            self.copy(source, target)
        parts = Parts(self.models[target])
        chosen = movable(self.models[target])
        for direction, length in along:
            for (name, p), v in zip(chosen.items(), drawn(chosen, direction), strict=True):
                own = parts.local[name]
                own.add_(cut(v, p).to(own), alpha=length)
        self.changed.add(target)

    def update(self, rates: Mapping[str, float]) -> tuple[dict[str, float], list[float] | None]:
        """Take a step; return the norms, and the seconds of each process for it, in the first one.

        The weights are divided evenly and no process waits for another here, so the seconds tell who is slow.
        """
        norms = self.step(rates)
        return norms, self.group.gathered(sum(cast(ShardedOptimiser, o).seconds for o in self.optimisers.values()))

    def stop_at(self, tokens: frozenset[int]) -> None:
        """Let the generation config of every language model name these tokens."""
        for skeleton in self.sharded.skeletons.values():
            set_stop_tokens(skeleton, tokens)

    # ---- measuring and differentiating

    @torch.no_grad()
    def outputs(self, wants: Mapping[str, Source], micros: Work) -> list[list[dict[str, Tensor]]] | None:
        """Compute model outputs without gradient; those of all processes in the first one, None in the others."""
        for source in wants.values():
            ensure_head(self.models[source.model], source, self.seed, trained=False)
        made = []
        for micro, counts in micros:
            found = self._outputs(micro.to(self.device), wants)
            made += [{n: x.cpu() for n, x in found.items()}] * counts
        return self.group.gathered(made)

    def add(
        self, plan: Plan, stream: str, counts: Counts, fresh: bool, train: bool, micros: Work
    ) -> list[Share] | None:
        """Run forward and backward on these micro-batches; the shares of all processes in the first one.

        A backward pass adds up gradients over the processes, so all of them make one if any of them has a loss.
        """
        share, wants = Share(), plan.forwards.get((When.LIVE, stream), {})
        with torch.set_grad_enabled(train):
            for number, (whole_micro, counted) in enumerate(micros, 1):
                micro = whole_micro.to(self.device)
                live = self._outputs(micro, wants)
                loss = torch.zeros((), device=self.device)
                if counted:
                    loss, parts = micro_loss(plan, stream, micro, live, counts, fresh=fresh)
                    share.add(float(loss.detach()), parts)
                if train and self.group.any(loss.requires_grad):
                    (loss + _touched(plan, stream, micro, live)).backward()  # type: ignore[no-untyped-call]
                self.progress("training" if train else "evaluation", number, len(micros))
        return self.group.gathered(share)

    # ---- the state

    def leaves(self) -> dict[str, Any]:
        """What LocalLearner.state returns, as a tree of what this process holds."""
        kept = sorted(r for r in self.changed if not isinstance(self.models[r], WithoutAdapters))
        return {
            "models": {r: self._weights(r) for r in kept},
            "optimisers": {r: cast(ShardedOptimiser, o).leaves() for r, o in self.optimisers.items()},
            "averages": {r: cast(ShardedFollower, a).leaves() for r, a in self.averages.items()},
        }

    def _weights(self, role: str) -> dict[str, Leaf]:
        named = self.models[role].state_dict(keep_vars=True)
        leaves = {id(p): Leaf(local(p), p) for p in named.values()}  # one for a parameter with two names
        return {n: leaves[id(p)] for n, p in named.items()}

    def gathered(self) -> dict[str, Any] | None:
        """What LocalLearner.state returns, in the first process."""
        first, made = self.group.rank == 0, dict[int, Tensor | None]()

        def whole_of(leaf: Leaf, _: str) -> Tensor | None:
            if id(leaf) not in made:
                made[id(leaf)] = leaf.gathered(keep=first)
            return made[id(leaf)]

        tree = self.leaves()
        return cast(dict[str, Any], mapped(tree, whole_of))

    def stage(self) -> dict[str, Any]:
        """Copy what this process holds, to be written by it; the state with names for it."""
        return {"shards": Path(FOLDER), "state": self.shards.stage(self.leaves())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load a state of whole tensors, which have values in the first process only, or of names in a folder."""
        self._version += 1
        folder, saved = state.get("shards"), state.get("state", state)
        known = shapes(folder) if folder is not None else {}
        for role, weights in saved["models"].items():
            self._ready(role, {n: known[x] if isinstance(x, str) else x for n, x in weights.items()})
            self.changed.add(role)
        files: dict[str, Leaf] = {}
        for leaf, x in paired({**self.leaves(), "models": {r: self._weights(r) for r in saved["models"]}}, saved):
            if isinstance(x, str):
                files[x] = leaf
            else:
                leaf.take(x, self.group)
        if folder is not None:
            read(folder, files, self.group)
        for role in self.optimisers.keys() & saved["optimisers"].keys():
            cast(ShardedOptimiser, self.optimisers[role]).count(saved["optimisers"][role]["steps"])

    def _ready(self, role: str, weights: Mapping[str, Tensor]) -> None:
        """Make a model that has room for these weights. Raises ModelError if it is another one."""
        if role not in self.models:
            self.models[role] = self.sharded.clone(self.models["policy"])
        if any(x.dtype == torch.float32 for n, x in weights.items() if not n.startswith("heads.")):
            self._widen(role)
        heads = {n: self.group.shared(x) for n, x in weights.items() if n.startswith("heads.")}
        add_saved_heads(self.models[role], heads)
        check_fit(role, self.models[role].state_dict(keep_vars=True), weights)

    def whole(self, role: str) -> Network | None:
        """The model of a role in one piece on the CPU, in the first process; None in the others."""
        module = self.models[role]
        made = self.sharded.whole(module, torch.device("cpu"), everywhere=False)
        return made if self.group.rank == 0 else None


def _touched(plan: Plan, stream: str, micro: Batch, live: Mapping[str, Tensor]) -> Tensor:
    """0, of which the gradient goes through everything that the loss reads: the same passes in every process."""
    read = {n for term in plan.terms[stream].values() for n in term.part.needs} | micro.cotangents.keys()
    slices = [x.flatten()[:0].sum() for n, x in live.items() if n in read and x.requires_grad]
    return torch.stack(slices).sum() if slices else torch.zeros(())
