"""A task that a program can check: sort four letters, by a small model that has half learned to.

A prompt is "cabd=" and the only right answer "abcd": reward 1 or 0. All methods start from the tiny model after a short
SFT. Measured on other letters than those that are trained on, in either training:

    accuracy    share of right answers, sampled at temperature 1
    pass@K      share of prompts to which one of K answers is right
    entropy     of whole answers in nats, estimated by -log π of what was sampled
    kl          KL(π ‖ π_ref) of whole answers, exact at every token
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean

from posttrain.core.method import Sampling
from posttrain.data.dataset import from_rows
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.tasks.beginners import beginner
from posttrain.evaluation.tasks.gold_reward import answer_kl
from posttrain.records import Prompt
from posttrain.rewards.reward import Reward
from posttrain.seeds import seed_for
from posttrain.training.session import Session

LETTERS, LENGTH = "abcdefgh", 4


def sorting(
    folder: Path,
    seed: int,
    *,
    demonstrated: int = 20,
    steps: int = 40,
    k: int = 8,
    questions: int = 64,
    learning_rate: float = 4e-4,
) -> Task:
    """Build the task at one seed: its own half-trained model, and the order of what it trains on.

    Settings:
        demonstrated: steps of the SFT that every method starts from; at least 1, more leave less to learn.
        steps: training steps of every method; at least 1.
        k: answers to each held-out prompt at every measurement, and the K of pass@K; at least 2.
        questions: held-out prompts of a measurement; 2 to 1300.
        learning_rate: peak learning rate of every method; above 0, 1e-4 to 1e-3 for the tiny model.
    """
    shown = questions_of(seed, held_out=False)
    trained = [{"prompt": question, "answer": answer} for question, answer in shown]
    held_out = questions_of(seed, held_out=True)[:questions]
    asked = [Prompt(i, question, {"answer": answer}) for i, (question, answer) in enumerate(held_out)]
    return Task(
        run={
            "model": str(beginner(folder / f"model-{seed}", shown, seed=seed, steps=demonstrated)),
            "train": {"steps": steps, "prompts_per_step": 32, "learning_rate": learning_rate, "warmup": 0.1},
            "sampling": {"max_tokens": LENGTH + 2, "slots": 512},
        },
        records={"prompts": from_rows(trained, "prompts", name="letters")},
        rewards=[Reward("right", right)],
        measure=partial(measure, asked=asked, k=k),
        x=("kl", "KL(π ‖ π_ref) in nats"),
        y=("accuracy", "accuracy on held-out letters"),
    )


def questions_of(seed: int, *, held_out: bool) -> list[tuple[str, str]]:
    """List questions and answers in an order that the seed draws; a third is held out, the same at every seed."""
    every = [("".join(letters) + "=", "".join(sorted(letters))) for letters in product(LETTERS, repeat=LENGTH)]
    chosen = [pair for pair in every if (seed_for("held out", pair[0]) % 3 == 0) == held_out]
    return sorted(chosen, key=lambda pair: seed_for(seed, "order", pair[0]))


def right(completions: Sequence[str], answer: Sequence[str]) -> list[float]:
    """Give 1 to the sorted letters and 0 to everything else."""
    return [float(c == a) for c, a in zip(completions, answer, strict=True)]


def measure(session: Session, name: str, *, asked: Sequence[Prompt], k: int) -> dict[str, float]:
    """Return KL, accuracy, pass@K and entropy of answers to held-out prompts."""
    answers = session.collect(name, asked, Sampling(samples=k), rewards=answer_kl)
    solved = right([e.text for e in answers], [str(e.prompt.columns["answer"]) for e in answers])
    ever = {e.prompt.id for e, score in zip(answers, solved, strict=True) if score}
    return {
        "kl": fmean(e.reward or 0.0 for e in answers),
        "accuracy": fmean(solved),
        f"pass@{k}": len(ever) / len(asked),
        "entropy": -fmean(sum(e.logp) for e in answers),
    }
