"""One GRPO step on SmolLM2-135M: sample 8 prompts x 8 answers of up to 64 tokens, score, update. Against TRL.

    python benchmarks/grpo_step.py [--steps 3] [--prompts 8] [--samples 8] [--tokens 64]

Both sides: the same bf16 weights, prompts, reward function, AdamW, one update per batch, no KL, no other process. TRL's
settings are the fastest found for two cores: 16 rows at once, fused AdamW, no gradient checkpointing, HF generate. It
trains bf16 weights; posttrain keeps float32 masters. The first step of each side warms up and is left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from pairs import report

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


def vowels(completions: list, **_: object) -> list[float]:
    """A reward with contrast that costs nothing: the share of vowels."""
    texts = [c if isinstance(c, str) else c[0]["content"] for c in completions]
    return [sum(x in "aeiou" for x in t) / max(len(t), 1) for t in texts]


def prompts(count: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"Tell a long story about {t}."}] for t in TOPICS[:count]]


class Stopwatch:
    """Seconds between two steps."""

    def __init__(self) -> None:
        self.marks = [time.perf_counter()]

    def mark(self) -> None:
        self.marks.append(time.perf_counter())

    @property
    def steps(self) -> list[float]:
        return [b - a for a, b in zip(self.marks, self.marks[1:], strict=False)]


def ours(options: argparse.Namespace, folder: Path) -> list[float]:
    from posttrain.config.load import load
    from posttrain.data.dataset import from_rows
    from posttrain.launch import open_session
    from posttrain.rewards.reward import resolve
    from posttrain.runs.display import Display

    watch = Stopwatch()

    class Marks(Display):
        def step(self, step: int, metrics: object) -> None:  # noqa: ARG002
            watch.mark()

    content = {
        "model": "smollm2",
        "method": {"path": "online/grpo", "kl.weight": 0},
        "data": "arithmetic",
        "sampling": {"samples": options.samples, "max_tokens": options.tokens, "slots": 128},
        "train": {"steps": options.steps + 1, "prompts_per_step": options.prompts, "learning_rate": 1e-6},
        "output": str(folder),
    }
    data = from_rows([{"prompt": p} for p in prompts(options.prompts)], "prompts")
    run = load(content)
    with open_session(run, display=Marks(), write=False) as session:
        assert run.method is not None
        watch.mark()
        session.train(run.method.path, data, settings=run.method.settings, rewards=[resolve(vowels)])
    return watch.steps[2:]


def trl(options: argparse.Namespace, folder: Path) -> list[float]:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    from posttrain.models import gguf

    source = gguf.converted(gguf.smollm2())
    watch = Stopwatch()

    class Marks(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            watch.mark()

    config = GRPOConfig(
        output_dir=str(folder),
        use_cpu=True,
        max_steps=options.steps + 1,
        per_device_train_batch_size=min(16, options.prompts * options.samples),
        gradient_accumulation_steps=max(1, options.prompts * options.samples // 16),
        num_generations=options.samples,
        max_completion_length=options.tokens,
        learning_rate=1e-6,
        beta=0.0,
        loss_type="grpo",
        optim="adamw_torch_fused",
        bf16=False,
        gradient_checkpointing=False,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16),
        reward_funcs=vowels,
        args=config,
        train_dataset=Dataset.from_list([{"prompt": p} for p in prompts(options.prompts)]),
        processing_class=AutoTokenizer.from_pretrained(source),
        callbacks=[Marks()],
    )
    watch.mark()
    trainer.train()
    return watch.steps[2:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("steps", 3), ("prompts", 8), ("samples", 8), ("tokens", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mine, theirs = ours(options, Path(folder, "ours")), trl(options, Path(folder, "trl"))
    facts = {"prompts": options.prompts, "samples": options.samples, "tokens": options.tokens, "peer_name": "trl"}
    report(mine, theirs, "s/step", more_is_better=False, **facts)


if __name__ == "__main__":
    main()
