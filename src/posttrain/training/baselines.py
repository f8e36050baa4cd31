"""Baseline answers: what the policy says before a stage trains it, scored once, for rewards that compare with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.records import Prompt
from posttrain.rewards.reward import Reward
from posttrain.rewards.shaping.shaping import Baselines
from posttrain.training.evaluation import sample
from posttrain.training.run import Run


def baselines(
    run: Run, name: str, data: Dataset, rewards: tuple[Reward, ...], tokens: Mapping[int, tuple[int, ...]]
) -> Baselines:
    """Sample and score `scoring.baseline` answers to each prompt, kept as `baselines/<name>.jsonl`.

    The scores are those before any transform. A resumed run reads the file.
    """
    if data.windows is not None:
        raise ConfigError(
            "rewards: a transform compares with baseline answers to all prompts, and a stream has no end; remove "
            "data.stream or the transform"
        )
    prompts = [cast(Prompt, p) for p in data]
    samples = Sampling(samples=run.file.scoring.baseline, temperature=run.file.sampling.temperature or 1.0)

    def compute() -> list[Any]:
        run.display.phase("baseline answers", 0, len(prompts))
        with run.timers("sampling"):
            answers = sample(run, prompts, samples, ("baseline", name), encoded=tokens)
        scored = run.score(answers, rewards)
        return [{"prompt_id": e.prompt.id, "completion": e.text, "rewards": dict(e.rewards)} for e in scored]

    found: dict[int, dict[str, list[float]]] = {}
    for row in run.journal.once(f"baselines/{name}", compute):
        for reward, score in row["rewards"].items():
            if score is not None:
                found.setdefault(row["prompt_id"], {}).setdefault(reward, []).append(score)
    return found
