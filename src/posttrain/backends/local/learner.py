"""The learner of one process and one device."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from posttrain.backends.local.average import Follower, follower
from posttrain.backends.local.descent import ancestor_of, apart, descendant, twin
from posttrain.backends.local.direction import movable, shift
from posttrain.backends.local.heads import add_saved_heads, ensure_head, write_head
from posttrain.backends.local.merged import merged
from posttrain.backends.local.optimiser import AdamW, Optimiser, cloned
from posttrain.backends.local.snapshot import Copies, check_fit
from posttrain.backends.local.step_merging import merger_of
from posttrain.backends.protocol import Direction, Learner, Share, Snapshot
from posttrain.core.batch import Batch, temperature_of
from posttrain.core.plan import Plan
from posttrain.core.reduce import Counts, micro_loss
from posttrain.core.vocabulary import Source, When
from posttrain.errors import ConfigError, NumericsError, suggestion
from posttrain.models.adapters import trained_parameters
from posttrain.models.loading.classifier import build_shapes, warn_of_constants
from posttrain.models.loading.save import save
from posttrain.models.loading.stop import set_stop_tokens
from posttrain.models.merging.merge import Merge
from posttrain.models.network import Network
from posttrain.models.without_adapters import WithoutAdapters

REPEATED = 1 / 8  # memory of a token that another row has already read (keys and values), relative to a new token


class LocalLearner(Learner):
    """Runs every role on one device. A module has a method outputs(tokens, rows, names, written=, temperature=)."""

    def __init__(
        self,
        models: Mapping[str, nn.Module],
        *,
        tokenizer: Any = None,
        optimiser: AdamW | None = None,
        tokens_per_device: int = 16384,
        seed: int = 0,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.models: dict[str, Any] = dict(models)
        self.tokenizer = tokenizer
        self.seed = seed
        self.settings = optimiser or AdamW()
        self.tokens_per_device = tokens_per_device
        self.progress = progress or (lambda *_: None)
        self.optimisers: dict[str, Optimiser] = {}
        self.averages: dict[str, Follower] = {}
        self.changed: set[str] = set()  # roles whose weights differ from the loaded ones
        self.calls: Counter[tuple[str, bool]] = Counter()  # (role.output, with gradient) -> rows computed
        self.copies = Copies()
        self._version = 0
        self._written_tokenizer: Any = None

    @property
    def version(self) -> int:
        """Number of times that weights have changed."""
        return self._version

    @property
    def device(self) -> torch.device:
        """The device of all models. Batches stay on the trainer's device and are moved one micro-batch at a time."""
        weight: nn.Parameter = next(next(iter(self.models.values())).parameters())
        return weight.device

    # ---- models

    def prepare(self, plan: Plan) -> None:
        """Create the models of the plan, their heads, averages and optimisers. Raises ConfigError or ModelError."""
        self._version += 1
        averages = plan.method.averages
        for role in plan.loaded:
            if role not in self.models and role not in averages:
                self.models[role] = self._descend(plan, role)
        wanted = [source for wants in plan.forwards.values() for source in wants.values()]
        for source in sorted(wanted, key=lambda s: -s.size):  # who reads one number takes the head as it is
            if source.model not in averages:
                ensure_head(self.models[source.model], source, self.seed, trained=source.model in plan.trained)
        for name, average in averages.items():  # after the heads, so that averages have those of their source
            self.models[name] = self._copied(self.models[average.of])
        self.averages = {n: self._follower(n, plan) for n in averages}
        owners = {id(self.models[m]): m for m in plan.trained}  # roles that share a module share an optimiser
        for module in self.models.values():
            if id(module) not in owners:
                module.requires_grad_(False)
        for optimiser in self.optimisers.values():
            optimiser.close()
        self.optimisers = {role: self._optimiser(role, plan) for role in owners.values()}
        self.changed |= set(owners.values()) | set(self.averages)

    def _copied(self, module: Any) -> Any:
        """Copy a model with all its weights."""
        return copy.deepcopy(module)

    def _follower(self, name: str, plan: Plan) -> Follower:
        return follower(self.models, name, plan.method)

    def _optimiser(self, role: str, plan: Plan) -> Optimiser:
        module = self.models[role]
        return Optimiser.of(module, self.settings, merger_of(plan.method.merged_steps, self.models, module, self.seed))

    def _descend(self, plan: Plan, role: str) -> nn.Module:
        """Copy the model of an ancestor for a role without one."""
        ancestor = ancestor_of(plan, role, self.models)
        if ancestor in self.changed:
            self.changed.add(role)
        return descendant(self.models[ancestor], role)

    def sizes(self, role: str) -> tuple[int, int]:
        """Number of parameters of a role that are trained, and of all."""
        module = self.models[role]
        trained = sum(p.numel() for p in trained_parameters(module).values())
        return trained, sum(p.numel() for p in module.parameters())

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Copy the weights of `source` to `target`; with share < 1, interpolate that far towards them."""
        if share == 1.0:
            self.models[target] = twin(self.models[source])
        else:
            self.models[target] = apart(self.models[target], self.models[source])
            Follower(self.models[target], self.models[source], 1 - share).step()
        self._moved(target)

    def merge(self, sources: Sequence[str], target: str, merge: Merge, base: str | None = None) -> None:
        """Give `target` the weights that the models `sources` become, as differences from `base` if it is given."""
        origin = None if base is None else self.models[base]
        self.models[target] = merged({s: self.models[s] for s in sources}, merge, origin)
        self._moved(target)

    def move(self, source: str, target: str, along: Sequence[tuple[Direction, float]]) -> None:
        """Set the weights of `target` to those of `source` plus the weighted sum of directions."""
        self._version += 1
        if source != target:
            self.copy(source, target)
        for direction, length in along:
            shift(movable(self.models[target]), direction, length)
        self.changed.add(target)

    def set_head(self, role: str, name: str, weight: Tensor) -> None:
        """Give a role a head, or another one, with these weights [K, D] and no bias."""
        write_head(self.models[role], name, weight)
        self._moved(role)

    def _moved(self, role: str) -> None:
        """Note that a role has other weights, whose optimiser has seen none of their gradients."""
        self._version += 1
        if role in self.optimisers:
            self.optimisers.pop(role).close()
        self.changed.add(role)

    def stop_at(self, tokens: frozenset[int]) -> None:
        """Let the generation config of every language model name these tokens."""
        for model in self.models.values():
            if isinstance(model, Network):
                set_stop_tokens(model, tokens)

    def save(self, role: str, folder: Path) -> None:
        """Write the model of a role, with the tokenizer."""
        save(self.models[role], self.tokenizer, folder)
        warn_of_constants(self.models[role], folder)

    # ---- measuring and differentiating

    @torch.no_grad()
    def forward(self, batch: Batch, wants: Mapping[str, Source]) -> dict[str, Tensor]:
        """Compute model outputs without gradient, micro-batch by micro-batch.

        Raises ConfigError for unknown roles, and ModelError for a head that is missing or has another size.
        """
        self.check_roles(wants)
        for source in wants.values():
            ensure_head(self.models[source.model], source, self.seed, trained=False)
        read = batch.only(("tokens", "rows", "written", "temperature"))
        pieces: dict[str, list[Tensor]] = {n: [] for n in wants}
        for micro in self.packed(read, (), wants) if wants else ():
            for name, x in self._outputs(micro.to(self.device), wants).items():
                pieces[name].append(x.to(batch["tokens"].device))
        return {n: torch.cat(xs) for n, xs in pieces.items()}

    def check_roles(self, wants: Mapping[str, Source]) -> None:
        """Raise ConfigError for an output of a role that no model has."""
        if unknown := [s.model for s in wants.values() if s.model not in self.models]:
            raise ConfigError(f"no model has the role {unknown[0]!r}{suggestion(unknown[0], self.models)}")

    @torch.no_grad()
    def measure(self, plan: Plan, stream: str, mini: Batch, counts: Counts) -> Share:
        """Compute what `accumulate` returns, without gradient."""
        return self.accumulate(plan, stream, mini, counts, fresh=True)

    def accumulate(self, plan: Plan, stream: str, mini: Batch, counts: Counts, *, fresh: bool) -> Share:
        """Run forward and backward on each micro-batch of a minibatch; return the summed loss and metrics."""
        share, wants = Share(), plan.forwards.get((When.LIVE, stream), {})
        micros = self.packed(mini, plan.links(stream), wants)
        for number, micro in enumerate((m.to(self.device) for m in micros), 1):
            loss, parts = micro_loss(plan, stream, micro, self._outputs(micro, wants), counts, fresh=fresh)
            if loss.requires_grad:  # a micro-batch may hold only rows that no pair uses
                loss.backward()  # type: ignore[no-untyped-call]
            share.add(float(loss.detach()), parts)
            self.progress("training" if torch.is_grad_enabled() else "evaluation", number, len(micros))
        return share

    def packed(self, batch: Batch, links: Collection[str], wants: Mapping[str, Source], ways: int = 1) -> list[Batch]:
        """Cut into micro-batches. On flat tokens, a shared prefix is read once unless every row needs its logits."""
        once = all(getattr(self.models[s.model], "flat", False) for s in wants.values())
        once = once and not any(s.output == "logits" for s in wants.values())
        return batch.pack(links, self.tokens_per_device, REPEATED if once else 1.0, ways)

    def _outputs(self, batch: Batch, wants: Mapping[str, Source]) -> dict[str, Tensor]:
        """Compute model outputs by name, with one forward pass per module, however many roles share it."""
        by_module: dict[int, dict[str, Source]] = {}
        for name, source in wants.items():
            by_module.setdefault(id(self.models[source.model]), {})[name] = source
        result: dict[str, Tensor] = {}
        for group in by_module.values():
            module = self.models[next(iter(group.values())).model]
            names = list(dict.fromkeys(s.output for s in group.values()))  # a set would sum in arbitrary order
            outputs = module.outputs(
                batch["tokens"], batch["rows"], names, written=batch["written"].mask, temperature=temperature_of(batch)
            )
            for name, source in group.items():
                result[name] = outputs[source.output]
                self.calls[f"{source.model}.{source.output}", torch.is_grad_enabled()] += batch["rows"].count
        return result

    # ---- updating

    def step(self, rates: Mapping[str, float]) -> dict[str, float]:
        """Update all models and averages; return the gradient norms. Raises NumericsError if one is not finite."""
        norms = {role: o.norm() for role, o in self.optimisers.items()}
        if broken := [f"{role}: {float(n)}" for role, n in norms.items() if not bool(n.isfinite())]:
            self.discard()
            raise NumericsError(
                f"the gradient norm is not finite ({', '.join(broken)}); nothing was updated. Lower "
                "train.learning_rate, or look at the samples of this step"
            )
        for role, optimiser in self.optimisers.items():
            optimiser.step(rates[role], norms[role])
        self._version += 1
        for average in self.averages.values():
            average.step()
        return {role: float(n) for role, n in norms.items()}

    def discard(self) -> None:
        """Drop the accumulated gradient of all models."""
        for optimiser in self.optimisers.values():
            optimiser.zero()

    def state(self) -> dict[str, Any]:
        """Copy the changed weights, the optimisers and the averages."""
        copied: dict[str, Any] = cloned(self._live())
        return copied

    def snapshot(self, role: str, *, last: bool = False) -> Snapshot:
        """Copy the state and the model of a role into host memory, valid until the next snapshot."""
        if isinstance(self.models[role], Network):
            build_shapes(self.models[role])
        if last and self.device.type == "cpu":  # they are in host memory, and stay as they are
            return Snapshot(self._live(), partial(save, cast(Network, self.models[role]), self.tokenizer))
        if self._written_tokenizer is None:  # a tokenizer must not be used while it is being written
            self._written_tokenizer = copy.deepcopy(self.tokenizer)
        state, module = self.copies.take(self._live(), self.models[role])
        return Snapshot(state, partial(save, cast(Network, module), self._written_tokenizer))

    def _live(self) -> dict[str, Any]:
        """Return the state uncopied, in the tensors that the next step changes in place."""
        kept = sorted(r for r in self.changed if not isinstance(self.models[r], WithoutAdapters))
        return {
            "models": {r: dict(self.models[r].state_dict()) for r in kept},
            "optimisers": {r: o.live() for r, o in self.optimisers.items()},
            "averages": {r: a.live() for r, a in self.averages.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load weights, optimisers and averages of a state. Raises ModelError if it belongs to another model."""
        self._version += 1
        for role, weights in state["models"].items():
            if role not in self.models:
                self.models[role] = copy.deepcopy(self.models["policy"])
            add_saved_heads(self.models[role], weights)
            check_fit(role, self.models[role].state_dict(), weights)
            self.models[role].load_state_dict(weights)
            self.changed.add(role)
        for role, saved in state["optimisers"].items():
            if role in self.optimisers:
                self.optimisers[role].restore(saved)
        for role, saved in state["averages"].items():
            if role in self.averages:
                self.averages[role].restore(saved)
