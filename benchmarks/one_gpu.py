"""Training and sampling on one GPU: tokens a second for a model of the shape of Qwen3-0.6B with random bf16 weights.

    python benchmarks/one_gpu.py [--device cuda] [--size qwen3-0.6b|tiny] [--repeats 5]

rl: GRPO steps on 16 rows of 1,024 tokens, four answers to each prompt of 128, packed together. sft: steps on 8 rows of
1,024 tokens, all trained but the first half. decode: 256 prompts of 100 to 1,024 random tokens, answers of as many, 256
at once. Steps are whole: advantages, forward, backward, AdamW with float32 masters. The first repetition warms up.

One RESULT line for each. It has no peer: those to compare with are measured on their own (see README.md).
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.core.batch import Batch
from posttrain.core.plan import plan
from posttrain.data.collate import collate
from posttrain.models.network import Network
from posttrain.records import Row
from posttrain.sampling.request import POLICY, Request
from posttrain.training.trainer import Trainer

SIZES: dict[str, dict[str, Any]] = {
    "qwen3-0.6b": {
        "vocab_size": 151_936,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
    "tiny": {
        "vocab_size": 512,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
    },
}
RL_ROWS, SFT_ROWS, ANSWERS, REQUESTS = 16, 8, 4, 256


def network(size: str, device: str) -> Network:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(**SIZES[size], max_position_embeddings=4096, tie_word_embeddings=True, eos_token_id=None)
    return Network(Qwen3ForCausalLM(config).to(torch.bfloat16).eval()).to(device)


def groups(words: int, length: int) -> Batch:
    """Answers with rewards, four to a prompt."""
    drawn, rows = random.Random(0), []
    for number in range(RL_ROWS):
        prompt = random.Random(number // ANSWERS).choices(range(words), k=length // 8)
        tokens = (*prompt, *drawn.choices(range(words), k=length - len(prompt)))
        mask = (False,) * len(prompt) + (True,) * (length - len(prompt))
        columns = {"reward": drawn.random(), "group": number // ANSWERS, "author": 0}
        rows.append(Row(number, tokens, mask, mask, columns))
    return collate(rows, scalars={"max_tokens": length})


def demonstrations(words: int, length: int) -> Batch:
    drawn, mask = random.Random(0), (False,) * (length // 2) + (True,) * (length - length // 2)
    return collate([Row(i, tuple(drawn.choices(range(words), k=length)), mask, mask) for i in range(SFT_ROWS)])


def requests(words: int, longest: int) -> list[Request]:
    drawn, least = random.Random(0), longest // 10
    return [
        Request(tuple(drawn.choices(range(words), k=drawn.randint(least, longest))), i, drawn.randint(least, longest))
        for i in range(REQUESTS)
    ]


def training(path: str, settings: dict[str, Any], learner: LocalLearner, batch: Batch) -> Callable[[], int]:
    method = configure(catalogue.load(path), settings)
    trainer = Trainer(plan(method, {"main": batch}), learner, rates=lambda _: {"policy": 1e-6})

    def step() -> int:
        trainer.train({"main": batch})
        return len(batch["tokens"])

    return step


def measured(job: Callable[[], int], repeats: int, device: str) -> list[float]:
    """Tokens a second of each repetition but the first."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    rates = []
    for _ in range(repeats + 1):
        wait()
        begin = time.perf_counter()
        tokens = job()
        wait()
        rates.append(tokens / (time.perf_counter() - begin))
    return rates[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", choices=SIZES, default="qwen3-0.6b")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--length", type=int, default=1024, help="tokens of a row; at most, of a prompt and an answer")
    options = parser.parse_args()
    words, length = SIZES[options.size]["vocab_size"], options.length

    def learner() -> LocalLearner:
        models = {"policy": network(options.size, options.device)}
        return LocalLearner(models, tokens_per_device=RL_ROWS * length)

    sampler, asked = LocalSampler(learner().models, slots=REQUESTS), requests(words, length)
    jobs = {
        "rl": training("online/grpo", {"kl.weight": 0.0}, learner(), groups(words, length)),
        "sft": training("imitation/sft", {}, learner(), demonstrations(words, length)),
        "decode": lambda: sum(len(made.tokens) for made in sampler.generate(asked, POLICY)),
    }
    chip = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    for name, job in jobs.items():
        rates = measured(job, options.repeats, options.device)
        print(name, " ".join(f"{rate:.0f}" for rate in rates), "tokens/s", flush=True)
        facts = {"ours": median(rates), "unit": "tokens/s", "repeats": options.repeats, "device": chip}
        print("RESULT", json.dumps({"measured": name, **facts, "size": options.size, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
