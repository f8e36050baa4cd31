"""Direct Preference Optimization on human preferences (Rafailov et al., 2023).

The pairs are read from a file (`--data`), in the format of hh-rlhf or any other that `posttrain data show` reads. They
are divided by the first message, so that no conversation is both trained on and held out; the seed draws the training
pairs from the rest. What a policy has learned is measured by the accuracy of its implicit reward:

    accuracy = mean 1[s(y_w) > s(y_l)] on held-out pairs, ties one half,    s(y) = log π(y|x) / π_ref(y|x)

`p` is the exact two-sided binomial test of accuracy 1/2. The KL is measured on the policy's own answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import cast

from posttrain.core.method import Sampling
from posttrain.data.dataset import load
from posttrain.errors import DataError
from posttrain.evaluation.compare.task import Task
from posttrain.evaluation.statistics import sign_test
from posttrain.formulas.losses.scores import log_ratio
from posttrain.records import Pair, Prompt
from posttrain.seeds import seed_for
from posttrain.selection.conversions import of_pairs
from posttrain.training.session import Session


def human_pairs(
    folder: Path,  # noqa: ARG001 (nothing is kept)
    seed: int,
    *,
    data: str,
    model: str = "smollm2",
    pairs: int = 512,
    held_out: int = 200,
    answers: int = 32,
    points: int = 2,
    batch: int = 16,
    learning_rate: float = 5e-5,
) -> Task:
    """Build the task at one seed: one pass over its training pairs, and measurements on the held-out ones.

    Settings:
        data: file of pairs; any path or name that `data` of a run file takes.
        model: name or path of the model that every method starts from; any that `model` of a run file takes.
        pairs: pairs to train on; at least 1 and at most those that are not held out.
        held_out: pairs that are held out, more where conversations share a first message; at least 1.
        answers: held-out prompts that the policy answers at every measurement; 1 to `held_out`.
        points: measurements while a method trains; at least 1.
        batch: pairs of an optimiser step; at least 1.
        learning_rate: peak learning rate of every method; above 0, 1e-6 to 1e-4 is usual.
    """
    source = load(data, "pairs", invalid="drop")
    known, unknown = split(cast(Sequence[Pair], source.records), held_out)
    if len(known) < pairs:
        raise DataError(
            f"{data}: {len(known)} pairs are left to train on beside {len(unknown)} held out, and the task wants "
            f"{pairs}; give --set pairs={len(known)} or a smaller held_out"
        )
    drawn = sorted(known, key=lambda p: seed_for(seed, "train on", p.id))[:pairs]
    asked = [Prompt(p.id, p.prompt, where=p.where) for p in unknown[:answers]]
    return Task(
        run={
            "model": model,
            "train": {
                "steps": -(-pairs // batch),
                "prompts_per_step": batch,
                "learning_rate": learning_rate,
                "schedule": "linear",
                "warmup": 0.1,
                "tokens_per_device": 4096,
            },
            "sampling": {"max_tokens": 32, "slots": answers},
        },
        records={k: d for k, d in of_pairs(drawn, data).items() if k != "prompts"},
        measure=partial(measure, unknown=unknown, asked=asked),
        x=("kl", "KL(π ‖ π_ref) in nats, of answers of up to 32 tokens"),
        y=("accuracy", "held-out accuracy of the implicit reward"),
        points=points,
        chance=0.5,
        facts={"pairs held out": len(unknown), "rows dropped from the file": len(source.dropped)},
    )


def split(pairs: Sequence[Pair], held_out: int) -> tuple[list[Pair], list[Pair]]:
    """Return pairs to train on, and at least `held_out` others; those with the same first message stay together."""

    def place(p: Pair) -> int:
        return seed_for("held out", repr(p.prompt if isinstance(p.prompt, str) else p.prompt[0]))

    order = sorted(pairs, key=place)
    last = place(order[min(held_out, len(order)) - 1])
    return [p for p in order if place(p) > last], [p for p in order if place(p) <= last]


def measure(session: Session, name: str, *, unknown: Sequence[Pair], asked: Sequence[Prompt]) -> dict[str, float]:
    """Return the implicit reward's accuracy and mean margin on held-out pairs, and the KL of the policy's answers."""
    s = session.measure(f"{name} held out", unknown, log_ratio)
    gaps = [better - worse for better, worse in zip(s[::2], s[1::2], strict=True)]
    right, wrong = sum(g > 0 for g in gaps), sum(g < 0 for g in gaps)
    own = session.collect(f"{name} own answers", asked, Sampling(), rewards=log_ratio)
    return {
        "kl": fmean(r.reward or 0.0 for r in own),
        "accuracy": (right + (len(gaps) - right - wrong) / 2) / len(gaps),
        "margin": fmean(gaps),
        "p": sign_test(right, wrong),
    }
