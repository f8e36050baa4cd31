"""Training on groups of answers: every prompt read once, against every row read whole. Same code, same gradients.

    python benchmarks/shared_prefix.py [--setting long|short] [--model random|smollm2] [--repeats 3]

long: one group of 16 answers of 256 tokens to a prompt of 4096. short: 16 groups of 8 answers of 64 tokens to prompts
of 96. Timed are forward and backward of the mean log-prob over all micro-batches; nothing is sampled or updated.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from pairs import report

from posttrain.backends.local.learner import REPEATED
from posttrain.core.batch import Batch
from posttrain.data.collate import collate
from posttrain.models import prefixes
from posttrain.models.network import Network
from posttrain.records import Row

SETTINGS = {"long": (1, 16, 4096, 256), "short": (16, 8, 96, 64)}  # groups, answers, tokens of prompt, of answer
TOKENS_PER_DEVICE = 16384


def random_model() -> Network:
    """A Llama of 3 million float32 parameters."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=4096,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=3,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=8192,
    )
    return Network(LlamaForCausalLM(config))


def smollm2() -> Network:
    from posttrain.models.loading.load import load

    return load("smollm2").network


def batch(groups: int, answers: int, prompt: int, answer: int) -> Batch:
    generator = torch.Generator().manual_seed(0)

    def words(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 4096, (count,), generator=generator).tolist())

    mask = (False,) * prompt + (True,) * answer
    prompts = [words(prompt) for _ in range(groups)]
    return collate([Row(i, prompts[i // answers] + words(answer), mask, mask) for i in range(groups * answers)])


def gradient(network: Network, rows: Batch, repeated: float) -> float:
    """Seconds for the gradient of the mean log-prob, which it leaves in the network."""
    network.zero_grad()
    count = int(rows["rows"].mask.sum())
    start = time.perf_counter()
    for micro in rows.pack((), TOKENS_PER_DEVICE, repeated):
        logp = network.outputs(micro["tokens"], micro["rows"], ["logp"])["logp"]
        (logp.sum() / count).backward()
    return time.perf_counter() - start


def whole(network: Network, rows: Batch) -> float:
    """The same where no prefix is worth sharing."""
    worth, prefixes.WORTH = prefixes.WORTH, 2.0
    try:
        return gradient(network, rows, 1.0)
    finally:
        prefixes.WORTH = worth


def flat(network: Network) -> torch.Tensor:
    return torch.cat([p.grad.flatten().float() for p in network.parameters() if p.grad is not None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setting", choices=SETTINGS, default="long")
    parser.add_argument("--model", choices=("random", "smollm2"), default="random")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    network = random_model() if options.model == "random" else smollm2()
    rows = batch(*SETTINGS[options.setting])
    few = batch(*SETTINGS["short"])
    gradient(network, few, REPEATED), whole(network, few)  # warm up
    times = []
    for _ in range(options.repeats):
        mine, ours = gradient(network, rows, REPEATED), flat(network)
        theirs = whole(network, rows)
        times.append((mine, theirs))
        distance = float((ours - flat(network)).norm() / flat(network).norm())
        print(f"{mine:.3f} s against {theirs:.3f} s, relative difference of the gradients {distance:.0e}", flush=True)
    facts = {"setting": options.setting, "model": options.model, "peer_name": "posttrain without sharing"}
    report([a for a, _ in times], [b for _, b in times], "s", more_is_better=False, **facts)


if __name__ == "__main__":
    main()
