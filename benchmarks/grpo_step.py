"""One GRPO step on SmolLM2-135M: sample 8 prompts x 8 answers of up to 64 tokens, score, update. Against TRL.

    python benchmarks/grpo_step.py [--steps 3] [--prompts 8] [--samples 8] [--tokens 64] [--prompt-tokens 0]
        [--tokens-per-device 640] [--at-once 16]

--prompt-tokens 512 puts a story of so many tokens before each question. Both sides: the same weights (bf16 where the
processor has it, else float32), prompts, reward function, AdamW, one update per batch, no KL. TRL's settings are the
fastest found for two cores: 16 rows at once (4 of 512 tokens: 16 take more than 18 GB in float32), fused AdamW, no
gradient checkpointing, HF generate. posttrain trains one group at once (2,048 tokens with --prompt-tokens 512): more at
once takes 5% less time and more memory. In bf16 TRL trains the weights themselves; posttrain keeps float32 masters. The
first step of each side warms up and is left out. `peak_mib` is the largest resident memory of each side's process.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pairs import in_turn
from trainers import posttrain_steps, trl_steps

TOPICS = (
    "a lighthouse",
    "the sea",
    "two old friends",
    "a lost letter",
    "winter",
    "a baker",
    "a slow train",
    "the moon",
)
TOPICS += ("a garden", "a clever fox", "the desert", "a violin", "a river", "a market", "snow", "a long walk")
STORY = "Once upon a time somebody went over the hill and came back with something in a bag. "  # 18 tokens


def vowels(completions: list, **_: object) -> list[float]:
    """A reward with contrast that costs nothing: the share of vowels."""
    texts = [c if isinstance(c, str) else c[0]["content"] for c in completions]
    return [sum(x in "aeiou" for x in t) / max(len(t), 1) for t in texts]


def prompts(options: argparse.Namespace) -> list[dict]:
    before = STORY * round(options.prompt_tokens / 18)
    asked = [f"{before}Tell a long story about {topic}." for topic in TOPICS[: options.prompts]]
    return [{"prompt": [{"role": "user", "content": text}]} for text in asked]


def ours(options: argparse.Namespace, folder: Path) -> list[float]:
    from posttrain.rewards.reward import resolve

    content = {
        "method": {"path": "online/grpo", "kl.weight": 0},
        "sampling": {"samples": options.samples, "max_tokens": options.tokens, "slots": 128},
        "train": {
            "steps": options.steps + 1,
            "prompts_per_step": options.prompts,
            "tokens_per_device": options.tokens_per_device,
        },
    }
    rewards = [resolve(vowels)]
    return posttrain_steps("online/grpo", prompts(options), "prompts", content, folder, rewards=rewards)[1:]


def trl(options: argparse.Namespace, folder: Path) -> list[float]:
    from trl import GRPOConfig, GRPOTrainer

    rows = options.prompts * options.samples
    steps = trl_steps(
        GRPOTrainer,
        GRPOConfig,
        prompts(options),
        folder,
        max_steps=options.steps + 1,
        per_device_train_batch_size=min(options.at_once, rows),
        gradient_accumulation_steps=max(1, rows // options.at_once),
        num_generations=options.samples,
        max_completion_length=options.tokens,
        beta=0.0,
        loss_type="grpo",
        trainer_settings={"reward_funcs": vowels},
    )
    return steps[1:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = {"steps": 3, "prompts": 8, "samples": 8, "tokens": 64, "prompt-tokens": 0}
    numbers |= {"tokens-per-device": 640, "at-once": 16}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    in_turn(parser, {"ours": ours, "trl": trl}, "s/step", more_is_better=False, peer="trl")
