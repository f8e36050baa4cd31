"""The training loop of every method. It knows streams, times, terms and states, but no method."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from posttrain.backends.protocol import Learner, Share, Snapshot
from posttrain.core.batch import Batch
from posttrain.core.method import MAIN
from posttrain.core.plan import Plan
from posttrain.core.reduce import counts, whole_gradients
from posttrain.core.vocabulary import When
from posttrain.errors import NumericsError
from posttrain.machine.kill_points import maybe_kill
from posttrain.seeds import seed_for

Batches = dict[str, Batch]
Now = dict[str, dict[str, Tensor]]  # stream -> LIVE tensors before an optimiser step, without gradient
Rates = Callable[[int], Mapping[str, float]]  # batch number -> learning rate of each trained model


class Trainer:
    """Runs any plan: derive once, take passes x minibatches optimiser steps, then derive the tensors of the end.

    `states` holds the state of every stateful derived tensor, `carried` the value of every tensor derived at the end of
    the previous batch.
    """

    def __init__(self, plan: Plan, learner: Learner, *, rates: Rates, seed: int = 0) -> None:
        self.plan = plan
        self.method = plan.method
        self.learner = learner
        self.rates = rates
        self.seed = seed
        self.axes = {n: f.axes for n, f in self.method.vocabulary.items()}
        self.states: dict[str, Any] = {}
        self.carried = {n: d.start for n, d in self.method.derived.items() if d.when is When.END}
        self.batch_number = 0
        self.scored = _scored(plan)
        self.repeated = _repeated(plan)
        self.scores: dict[str, dict[str, Tensor]] = {}  # stream -> scores of models on the rows of the latest batch
        learner.prepare(plan)

    def train(self, batches: Batches) -> dict[str, float]:
        """Train on one batch of every stream. Returns the metrics, as means over the optimiser steps.

        If it fails, the gradient is dropped and the states are restored, but optimiser steps already taken remain.
        """
        states, carried = self.states, self.carried
        try:
            metrics = self._train(batches)
        except BaseException:
            self.learner.discard()
            self.states, self.carried = states, carried
            raise
        self.batch_number += 1
        return metrics

    def skip(self) -> None:
        """Count a batch that is not trained on, so that the schedule advances."""
        self.batch_number += 1

    def _train(self, batches: Batches) -> dict[str, float]:
        seed = seed_for(self.seed, "batch", self.batch_number)
        batches, metrics = self._derived(batches, seed)
        metrics |= self._passes(batches, seed)
        self.derive(When.END, batches)
        return metrics

    def _derived(self, batches: Batches, seed: int) -> tuple[Batches, dict[str, float]]:
        """Add what is computed once per batch, drop what is not read later. Returns the metrics of whole batches."""
        carried = {n: torch.tensor(x) for n, x in self.carried.items()}
        given = {"seed": seed, "step": self.batch_number, **carried}
        batches = {s: b.add(given, dict.fromkeys(given, "")) for s, b in batches.items()}
        batches, _ = self.derive(When.ONCE, batches)
        self.scores = {s: {n: batches[s][n] for n in names} for s, names in self.scored.items()}
        maybe_kill("derive")
        metrics = self._scalars(batches)
        return {s: self._cut(s, b) for s, b in batches.items()}, metrics

    def look(self, batches: Batches, number: int) -> tuple[Batches, Now, dict[str, float]]:
        """Derive the tensors of held-out batches as for an optimiser step, and change nothing.

        Returns what `derive` does, and the metrics of whole batches. `number` tells several held-out batches apart.
        """
        states = self.states
        try:
            batches, metrics = self._derived(batches, seed_for(self.seed, "held out", number))
            return *self.derive(When.STEP, batches), metrics
        finally:
            self.states = states

    def _cut(self, stream: str, batch: Batch) -> Batch:
        """Drop the tensors that are no longer read and the rows that are not trained."""
        kept = batch.only(self.plan.after[stream])
        return kept.without_spectators(self.plan.links(stream))

    def _passes(self, batches: Batches, seed: int) -> dict[str, float]:
        shares: list[dict[str, float]] = []
        stopped = False
        for number in range(self.method.passes):
            minibatches = {
                s: b.deal(self.plan.links(s), self.method.minibatches, seed_for(seed, "pass", number))
                for s, b in batches.items()
            }
            for k in range(self.method.minibatches):
                states = self.states
                minis, now = self.derive(When.STEP, {s: cut[k] for s, cut in minibatches.items()})
                if self.method.until and bool(minis[MAIN][self.method.until]):
                    self.states, stopped = states, True  # the step is not taken, so its statistics do not count
                    break
                shares.append(self._step(minis, now, fresh=not shares))
            if stopped:
                break
        means = {n: sum(s.get(n, 0.0) for s in shares) / len(shares) for n in shares[0]} if shares else {}
        return means | {"optimiser_steps": float(len(shares))}

    def _step(self, minis: Batches, now: Now, *, fresh: bool) -> dict[str, float]:
        share = self.accumulate(minis, now, fresh=fresh)
        if not math.isfinite(share.loss):
            broken = [n for n, x in share.metrics.items() if not math.isfinite(x)]
            raise NumericsError(
                f"step {self.batch_number}: the loss of {self.method.name} is {share.loss} "
                f"({', '.join(broken) or 'a sum of finite terms'}); nothing was updated. Lower train.learning_rate, "
                "or look at the samples of this step"
            )
        maybe_kill("backward")
        norms = self.learner.step(self.rates(self.batch_number))
        maybe_kill("optimiser")
        first = next(iter(norms.values()), 0.0)
        metrics = {name: x for name, x in share.metrics.items() if name != self.repeated}
        return {"loss": share.loss, "grad_norm": norms.get("policy", first), **metrics}

    def accumulate(self, minis: Batches, now: Now, *, fresh: bool) -> Share:
        """Accumulate the gradient of one optimiser step over all streams."""
        share = Share()
        for s, mini in minis.items():
            if not self.plan.terms[s]:
                continue
            mini, value, shares = whole_gradients(self.plan, s, mini, now[s])
            share.add(value, shares)
            terms = [*self.plan.terms[s].values(), *self.plan.metrics[s].values()]
            # Counted before any cut, so that the result does not depend on the micro-batches.
            part = self.learner.accumulate(self.plan, s, mini, counts(terms, mini), fresh=fresh)
            share.add(part.loss, part.metrics)
        return share

    def derive(self, when: When, batches: Batches) -> tuple[Batches, Now]:
        """Compute model outputs without gradient, then the derived tensors in order, on whole batches.

        Returns the batches with the new tensors, and the model outputs of each stream.
        """
        now = {s: self.learner.forward(b, self.plan.forwards.get((when, s), {})) for s, b in batches.items()}
        full = {s: b.add(now[s], self.axes) for s, b in batches.items()}
        # Outputs computed at a STEP or at the END must not shadow the LIVE tensor of the same name.
        new: dict[str, dict[str, Any]] = {s: dict(now[s]) if when is When.ONCE else {} for s in batches}
        states = dict(self.states)
        for name, stream in self.plan.derived.get(when, ()):
            part, axes = self.method.derived[name].part, self.axes[name]
            with torch.no_grad():
                if part.stateful:
                    states[name], value = part(full[stream], copy.deepcopy(states.get(name)))
                else:
                    value = part(full[stream])
            if when is When.END:
                self.carried = {**self.carried, name: float(value)}
            for s in batches if axes == "" else (stream,):
                full[s], new[s][name] = full[s].add({name: value}, {name: axes}), value
        self.states = states
        return {s: b.add(new[s], self.axes) for s, b in batches.items()}, now

    def _scalars(self, batches: Batches) -> dict[str, float]:
        """Compute the metrics of the whole batch, and every scalar that the method derives (a KL weight)."""
        whole = {
            name: float(term.part(batches[s]))
            for s, terms in self.plan.metrics.items()
            for name, term in terms.items()
            if term.whole
        }
        scalars = {n: batches[MAIN][n] for n in self.method.derived if self.axes[n] == "" and n in batches[MAIN]}
        return whole | {n: float(x) for n, x in scalars.items()}

    def state(self) -> dict[str, Any]:
        """Copy everything that the next step depends on."""
        return self._with(self.learner.state())

    def snapshot(self, role: str, *, last: bool = False) -> Snapshot:
        """Copy the state and the model of a role, as Learner.snapshot does."""
        snapshot = self.learner.snapshot(role, last=last)
        return Snapshot(self._with(snapshot.state), snapshot.write)

    def _with(self, backend: Mapping[str, Any]) -> dict[str, Any]:
        own = {"states": copy.deepcopy(self.states), "carried": self.carried, "batch_number": self.batch_number}
        return {"backend": backend, **own}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state, bit for bit. Raises ModelError if it belongs to another model."""
        self.learner.restore(state["backend"])
        self.states = copy.deepcopy(state["states"])
        self.carried = dict(state["carried"])
        self.batch_number = state["batch_number"]


def _scored(plan: Plan) -> dict[str, list[str]]:
    """List by stream the scores of models that are computed once per batch."""
    once = {s: wants for (when, s), wants in plan.forwards.items() if when is When.ONCE}
    return {s: [n for n, source in wants.items() if source.output == "score"] for s, wants in once.items()}


def _repeated(plan: Plan) -> str | None:
    """Name the metric of the only loss term, whose value is that of the loss; None if there are more, or weights."""
    terms = [(name, term) for terms in plan.terms.values() for name, term in terms.items()]
    return f"loss/{terms[0][0]}" if len(terms) == 1 and terms[0][1].weight == 1 else None
