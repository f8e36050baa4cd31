"""On Teacher Hacking in Language Model Distillation (Tiapkin et al., 2025), in small.

An oracle, a teacher that imitates it from few of its answers, and a student that learns from the teacher. Every method
of distillation is measured by two distances on the student's own answers:

    proxy = KL(π || teacher)        gold = KL(π || oracle)        per answer, exact at every token

With a fixed set of the teacher's answers (distillation/soft_targets, imitation/sft) the proxy may fall while the gold
distance rises again: the student learns the teacher's faults. Methods that read prompts (distillation/on_policy) get
new answers in every step. `hacking` of evaluation/hacking.py reads the two curves.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.core.vocabulary import Source, When
from posttrain.data.collate import collate, episode_row
from posttrain.data.dataset import Dataset, from_rows
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.tasks.gold_reward import LENGTH, LETTERS, TOO_LONG
from posttrain.formulas.losses.penalties import reverse_kl
from posttrain.launch.run import open_session
from posttrain.records import Episode, Prompt
from posttrain.seeds import seed_for
from posttrain.selection.answers import demonstrations
from posttrain.training.session import Session

TEXTS = 4096  # of the language that the oracle learns
WEIGHTS = (8, 4, 2, 1, 1)  # of the letters that may follow a letter: an oracle worth imitating is no uniform one


def teacher_hacking(
    folder: Path,
    seed: int,
    *,
    oracle_steps: int = 96,
    teacher_answers: int = 128,
    teacher_steps: int = 48,
    answers: int = 128,
    steps: int = 96,
    prompts: int = 64,
    learning_rate: float = 1e-3,
) -> Task:
    """Build the task at one seed: its own language, oracle, teacher and fixed answers of the teacher.

    Settings:
        oracle_steps: training steps of the oracle on the language; at least 1.
        teacher_answers: answers of the oracle that the teacher learns from; at least 1, fewer make it worse.
        teacher_steps: training steps of the teacher; at least 1, more make it repeat what it saw.
        answers: answers of the teacher in the fixed set; at least 1, fewer are hacked sooner.
        steps: training steps of every method; at least 1.
        prompts: held-out prompts that the student answers at every measurement; at least 2.
        learning_rate: peak learning rate of every method; above 0, 1e-4 to 3e-3 for the tiny model.
    """
    shown = asked(seed, "teacher", answers)
    oracle = taught(folder / f"oracle-{seed}", "tiny", language(seed, TEXTS), oracle_steps, seed)
    first = written(oracle, asked(seed, "oracle", teacher_answers), seed)
    teacher = taught(folder / f"teacher-{seed}", "tiny", first, teacher_steps, seed)
    return Task(
        run={
            "model": "tiny",
            "models": {"teacher": str(teacher), "oracle": str(oracle)},
            "train": {"steps": steps, "prompts_per_step": 32, "learning_rate": learning_rate, "warmup": 0.1},
            "sampling": {"max_tokens": TOO_LONG, "slots": 512},
        },
        records={
            "prompts": Dataset(tuple(shown), "prompts of the teacher"),
            "demonstrations": written(teacher, shown, seed),
        },
        measure=partial(measure, prompts=asked(seed, "held out", prompts)),
        x=("proxy", "KL(π ‖ teacher) in nats per answer"),
        y=("closeness", "-KL(π ‖ oracle) in nats per answer"),
        facts={"answers of the oracle that the teacher saw": teacher_answers, "answers of the teacher": answers},
    )


def asked(seed: int, name: str, count: int) -> list[Prompt]:
    """Return prompts of two letters."""
    letters = [[LETTERS[seed_for(seed, name, i, k) % len(LETTERS)] for k in range(2)] for i in range(count)]
    return [Prompt(i, "".join(two), where=f"{name}:{i}") for i, two in enumerate(letters)]


def language(seed: int, count: int) -> Dataset:
    """Return texts in which each letter is followed by one of five, with probabilities that the seed assigns."""
    order = {last: sorted(LETTERS, key=partial(seed_for, seed, "order", last)) for last in LETTERS}
    pools = {last: "".join(x * n for x, n in zip(order[last], WEIGHTS, strict=False)) for last in LETTERS}
    generator = np.random.default_rng(seed_for(seed, "texts"))
    drawn = generator.integers(sum(WEIGHTS), size=(count, LENGTH))
    rows = []
    for p, numbers in zip(asked(seed, "language", count), drawn, strict=True):
        text = str(p.prompt)
        for n in numbers:
            text += pools[text[-1]][n]
        rows.append({"prompt": text[:2], "completion": text[2:]})
    return from_rows(rows, "demonstrations", name="texts of the language")


def taught(folder: Path, model: str, shown: Dataset, steps: int, seed: int) -> Path:
    """Train a model on answers, and keep it in the folder, since all methods share it."""
    if (folder / "config.json").exists():
        return folder
    train = {"steps": steps, "prompts_per_step": 64, "learning_rate": 3e-3, "schedule": "linear", "warmup": 0.1}
    with open_session(load({"model": model, "train": train, "seed": seed}, complete=False), write=False) as session:
        session.train("imitation/sft", shown, rewards=())
        return session.save("policy", folder)


def written(model: Path, prompts: list[Prompt], seed: int) -> Dataset:
    """Return the answers of a model to prompts."""
    content = {"model": str(model), "sampling": {"max_tokens": TOO_LONG, "slots": 512}, "seed": seed}
    with open_session(load(content, complete=False), write=False) as session:
        answers = session.collect("answers", prompts, Sampling(), rewards=())
    return Dataset(tuple(demonstrations(answers)), "answers of the teacher")


def measure(session: Session, name: str, *, prompts: list[Prompt]) -> dict[str, float]:
    """Return both distances of the policy on its own answers to held-out prompts."""
    answers = session.collect(name, prompts, Sampling(), rewards=())
    proxy, gold = (distance(session, answers, role) for role in ("teacher", "oracle"))
    return {"proxy": proxy, "gold": gold, "closeness": -gold}  # whose best point is the largest


def distance(session: Session, answers: list[Episode], role: str) -> float:
    """KL(π || role) at every prefix of sampled answers, summed: unbiased for the KL of whole answers."""
    batch = collate([episode_row(e, train=True, temperature=1.0, step=0) for e in answers])
    wants = {name: Source(model, "logits", When.ONCE) for name, model in (("policy", "policy"), ("other", role))}
    outputs = session.run.learner.forward(batch, wants)
    kl = batch["rows"].sum(reverse_kl(outputs["policy"], outputs["other"]))
    return fmean(kl.tolist())
