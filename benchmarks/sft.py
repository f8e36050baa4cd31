"""SFT of SmolLM2-135M on GSM8K in useful tokens (prompt and answer, no padding) per second. Against TRL.

    python benchmarks/sft.py --data gsm8k_train.jsonl [--rows 96] [--batch 32] [--rounds 3]

One epoch over the first rows of the file, an optimiser step per batch, losses on the answers only. TRL: 8 rows at once
(16 are slower on two cores), rows of similar length together; packing would let rows see each other.
"""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path

from pairs import in_turn
from trainers import posttrain_steps, trl_steps, useful_tokens

AT_ONCE = 8


def rows(options: argparse.Namespace) -> list[dict]:
    with Path(options.data).open() as lines:
        problems = [json.loads(line) for line in islice(lines, options.rows)]
    return [
        {
            "prompt": [{"role": "user", "content": problem["question"]}],
            "completion": [{"role": "assistant", "content": problem["answer"]}],
        }
        for problem in problems
    ]


def rate(options: argparse.Namespace, steps: list[float]) -> list[float]:
    return [useful_tokens([row["prompt"] + row["completion"] for row in rows(options)]) / sum(steps)]


def ours(options: argparse.Namespace, folder: Path) -> list[float]:
    content = {"train": {"prompts_per_step": options.batch, "epochs": 1}}
    return rate(options, posttrain_steps("imitation/sft", rows(options), "demonstrations", content, folder))


def trl(options: argparse.Namespace, folder: Path) -> list[float]:
    from trl import SFTConfig, SFTTrainer

    steps = trl_steps(
        SFTTrainer,
        SFTConfig,
        rows(options),
        folder,
        num_train_epochs=1,
        per_device_train_batch_size=AT_ONCE,
        gradient_accumulation_steps=options.batch // AT_ONCE,
        train_sampling_strategy="group_by_length",
        max_length=None,
    )
    return rate(options, steps)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="JSONL with question and answer")
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--batch", type=int, default=32)
    in_turn(parser, {"ours": ours, "trl": trl}, "tokens/s", more_is_better=True, peer="trl")
