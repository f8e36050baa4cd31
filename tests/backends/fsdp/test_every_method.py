"""Every method of the catalogue has the loss and the gradient of one process, however many processes there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from posttrain.backends.fsdp.learner import FsdpLearner
from posttrain.backends.fsdp.sharded import ShardedLearner
from posttrain.backends.fsdp.sharding import whole
from posttrain.catalogue import index as catalogue
from posttrain.core.batch import Batch
from posttrain.core.method import Method
from posttrain.core.plan import plan
from posttrain.models.member_lora import add_members
from posttrain.models.network import Network
from posttrain.models.outputs.output import output
from posttrain.training.trainer import Trainer
from tests.backends.fsdp.pool import group
from tests.harness import generated
from tests.harness.cases import distance, size
from tests.harness.recorder import Recorder
from tests.models.tiny import network

pytestmark = pytest.mark.usefixtures("float64")
SMALL = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}


class Part(ShardedLearner):
    """One process's part, which can show the gradient of all."""

    def gradients(self) -> dict[str, torch.Tensor]:
        found = {}
        for role, optimiser in self.optimisers.items():
            optimiser.norm()
            names = {id(p): n for n, p in self.models[role].named_parameters()}
            for own, p in zip(optimiser.parameters, optimiser.full, strict=True):
                grad = torch.zeros_like(own) if own.grad is None else own.grad
                found[f"{role}.{names[id(p)]}"] = whole(grad, p)
        return found


class Showing(FsdpLearner):
    """`gradients`: one entry an optimiser step, as a Recorder has them."""

    part = Part

    def step(self, rates: Mapping[str, float]) -> dict[str, float]:
        self.gradients = [self._call("gradients")]
        return super().step(rates)


def models(method: Method, data: Mapping[str, Batch]) -> dict[str, Network]:
    """A small network for every role, with the heads that the method reads of it."""
    made = {}
    for seed, role in enumerate(generated._roles(method, data)):
        made[role] = network("Llama", seed, **SMALL, vocab_size=generated.VOCABULARY)
        for name, (_, numbers) in generated._outputs(method, role).items():
            if name == "diversity":
                add_members(made[role], generated.WIDTH, 2, 4, 1, "all-linear")
            if (head := output(name).head) is not None:
                made[role].add_head(head, seed, numbers if head != "value" else 1)
    return made


def features(path: str) -> set[tuple[Any, ...]]:
    """What a method asks of a learner: outputs of roles at times, terms, links, averages."""
    method = catalogue.load(path)
    planned = generated.planned(method, generated.batches(method))
    role = {"policy": "policy", "reference": "reference"}
    asked = {(t, s.output, role.get(s.model)) for (t, _), wants in planned.forwards.items() for s in wants.values()}
    asked |= {(t.reduction, t.part.axes, t.whole) for terms in planned.terms.values() for t in terms.values()}
    asked |= {("link", link) for stream in method.streams for link in planned.links(stream)}
    return asked | {("averages", bool(method.averages)), ("merged", bool(method.merged_steps))}


def representatives() -> list[str]:
    """Methods that ask for everything that some method asks for; a new output or reduction brings one."""
    asked = {path: features(path) for path in catalogue.paths()}
    missing, chosen = set().union(*asked.values()), []
    while missing:
        chosen.append(max(asked, key=lambda path: len(asked[path] & missing)))
        missing -= asked[chosen[-1]]
    return chosen


def trained(method: Method, data: Any, learner: Any) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    roles = generated.planned(method, data).trained
    planned = plan(method, {s: set(b) for s, b in data.items()})
    metrics = Trainer(planned, learner, rates=lambda _: dict.fromkeys(roles, 1e-3)).train(dict(data))
    return metrics, learner.gradients[0]


def difference(path: str, processes: int) -> str | None:
    """How far the metrics or the gradient of a method are from those of one process, if they are."""
    method = replace(catalogue.load(path), passes=1, minibatches=1)
    data = generated.batches(method)
    tokens = max(generated.smallest_cut(method, data), 40)
    one, gradient = trained(method, data, Recorder(models(method, data), tokens_per_device=tokens))
    learner = Showing(group(processes), models(method, data), tokens_per_device=tokens)
    several, other = trained(method, data, learner)
    if wrong := [f"{n}: {several.get(n)} for {x}" for n, x in one.items() if several.get(n) != pytest.approx(x, 1e-9)]:
        return f"{path}: {wrong}"
    gradient = {n: x for n, x in gradient.items() if n in other or bool(x.any())}  # frozen weights have none
    far = distance(gradient, other) / max(size(gradient), 1.0)
    return None if far < 1e-10 else f"{path}: {far}"


@pytest.mark.paper("sheng2024sf5")
@pytest.mark.parametrize(("processes", "every"), [(2, 1), (4, 4)])
def test_methods_have_the_gradient_of_one_process(processes: int, every: int) -> None:
    """`paths` may be all of the catalogue: they hold, too, and take a minute."""
    wrong = [found for path in representatives()[::every] if (found := difference(path, processes)) is not None]
    assert not wrong, "\n".join(wrong)
