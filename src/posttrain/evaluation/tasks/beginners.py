"""Models that the methods of a task start from: the tiny model after a short SFT on texts of the task."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from posttrain.config.load import load
from posttrain.data.dataset import from_rows
from posttrain.launch.run import open_session


def beginner(folder: Path, shown: Iterable[tuple[str, str]], *, seed: int, steps: int) -> Path:
    """Train the tiny model on prompts and answers. It is kept in the folder, since all methods start from it."""
    if (folder / "config.json").exists():
        return folder
    texts = from_rows([{"prompt": p, "completion": c} for p, c in shown], "demonstrations", name="texts of the task")
    train = {"steps": steps, "prompts_per_step": 64, "learning_rate": 3e-3, "schedule": "linear", "warmup": 0.1}
    content = {"model": "tiny", "method": "imitation/sft", "data": "arithmetic", "train": train, "seed": seed}
    with open_session(load(content), write=False) as session:
        session.train("imitation/sft", texts, rewards=())
        return session.save("policy", folder)
