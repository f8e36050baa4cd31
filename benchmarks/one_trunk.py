"""Memory of the four models of PPO on SmolLM2-135M: whole weights, adapters on copies, adapters on one trunk.

    python benchmarks/one_trunk.py [--rank 16] [--targets q_proj v_proj]

Counts the bytes of weights, gradients and optimisers that PPO's policy, reference, reward model and critic hold, memory
that several of them share once. Activations are not part of it. Prints one line for each way.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from posttrain.backends.local.learner import LocalLearner
from posttrain.core.plan import plan
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.models.loading.load import load
from posttrain.models.lora import add_lora

ROLES = ("policy", "reference", "reward", "critic")
WAYS = ("whole weights", "adapters on copies", "adapters on one trunk")
MIB = 2**20


def learner(way: str, rank: int, targets: list[str]) -> LocalLearner:
    network = load("smollm2", dtype="bfloat16").network
    network.add_head("score", seed=1)
    if way != WAYS[0]:
        add_lora(network, rank, 2.0 * rank, targets)
    made = LocalLearner({"policy": network})
    made.copy("policy", "reward")
    if way == WAYS[1]:
        made.models["reward"] = copy.deepcopy(network)
        made.models["critic"] = copy.deepcopy(network)
    made.prepare(plan(PPO))
    return made


def tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from (t for v in value.values() for t in tensors(v))
    elif isinstance(value, list):
        yield from (t for v in value for t in tensors(v))


def size(held: Iterable[Tensor]) -> int:
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in held}.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--targets", nargs="+", default=["q_proj", "v_proj"])
    given = parser.parse_args()
    found: dict[str, Any] = {}
    for way in WAYS:
        made = learner(way, given.rank, given.targets)
        modules = [m for r in ROLES if isinstance(m := made.models[r], nn.Module)]
        weights = size(p for m in modules for p in m.parameters())
        trained, whole = made.sizes("policy")
        state = size(t for o in made.optimisers.values() for t in tensors(o.live()))
        gradients = sum(4 * made.sizes(role)[0] for role in made.optimisers)
        total = (weights + state + gradients) / MIB
        found[way] = round(total)
        print(
            f"{way:22} weights {weights / MIB:5.0f} MiB, optimisers {state / MIB:5.0f}, "
            f"gradients {gradients / MIB:5.0f}, together {total:5.0f}; "
            f"policy trains {trained:,} of {whole:,} ({trained / whole:.3%})"
        )
    print("RESULT", json.dumps({"unit": "MiB", **found}))


if __name__ == "__main__":
    main()
