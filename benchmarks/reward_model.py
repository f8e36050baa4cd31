"""A Bradley-Terry reward model of SmolLM2-135M on human pairs, in useful tokens per second. Against TRL.

    python benchmarks/reward_model.py --data hh_harmless_dev.jsonl [--rows 64] [--batch 16] [--rounds 3]

As dpo.py; useful tokens are those of both transcripts, padding not counted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import human_pairs
from dpo import AT_ONCE, options_of_pairs, posttrain_rate, rate
from pairs import in_turn
from trainers import trl_steps


def ours(options: argparse.Namespace, folder: Path) -> list[float]:
    return posttrain_rate("reward/bradley_terry", options, folder)


def trl(options: argparse.Namespace, folder: Path) -> list[float]:
    from transformers import AutoModelForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    steps = trl_steps(
        RewardTrainer,
        RewardConfig,
        human_pairs.read(options.data, options.rows),
        folder,
        loader=AutoModelForSequenceClassification,
        model_settings={"num_labels": 1},
        num_train_epochs=1,
        per_device_train_batch_size=AT_ONCE,
        gradient_accumulation_steps=options.batch // AT_ONCE,
        max_length=None,
    )
    return rate(options, steps)


if __name__ == "__main__":
    in_turn(options_of_pairs(__doc__), {"ours": ours, "trl": trl}, "tokens/s", more_is_better=True, peer="trl")
