"""DPO of SmolLM2-135M on human pairs, in useful tokens (both transcripts, no padding) per second. Against TRL.

    python benchmarks/dpo.py --data hh_harmless_dev.jsonl [--rows 64] [--batch 16] [--rounds 3]

One epoch over the first pairs of the file, an optimiser step per batch; both sides keep the reference in memory and
run it in every step. TRL: 4 pairs at once, no padding-free batches (they need a GPU).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import human_pairs
from pairs import in_turn
from trainers import posttrain_steps, trl_steps, useful_tokens

AT_ONCE = 4


def rate(options: argparse.Namespace, steps: list[float]) -> list[float]:
    pairs = human_pairs.read(options.data, options.rows)
    return [useful_tokens([turns for pair in pairs for turns in human_pairs.both(pair)]) / sum(steps)]


def posttrain_rate(method: str, options: argparse.Namespace, folder: Path) -> list[float]:
    """One epoch of a method over the pairs."""
    pairs = human_pairs.read(options.data, options.rows)
    content = {"train": {"prompts_per_step": options.batch, "epochs": 1}}
    return rate(options, posttrain_steps(method, pairs, "pairs", content, folder))


def options_of_pairs(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="JSONL of transcripts: chosen, rejected")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    return parser


def ours(options: argparse.Namespace, folder: Path) -> list[float]:
    return posttrain_rate("preference/dpo", options, folder)


def trl(options: argparse.Namespace, folder: Path) -> list[float]:
    from trl import DPOConfig, DPOTrainer

    steps = trl_steps(
        DPOTrainer,
        DPOConfig,
        human_pairs.read(options.data, options.rows),
        folder,
        num_train_epochs=1,
        per_device_train_batch_size=AT_ONCE,
        gradient_accumulation_steps=options.batch // AT_ONCE,
        max_length=None,
    )
    return rate(options, steps)


if __name__ == "__main__":
    in_turn(options_of_pairs(__doc__), {"ours": ours, "trl": trl}, "tokens/s", more_is_better=True, peer="trl")
