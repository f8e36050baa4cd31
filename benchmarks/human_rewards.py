"""Reward models on human pairs: held-out accuracy with its interval, calibration, length bias and cost, side by side.

    python benchmarks/human_rewards.py --data hh_harmless_dev.jsonl [--methods reward/bradley_terry reward/ensemble]
        [--model smollm2] [--pairs 256] [--held-out 400] [--batch 16] [--learning-rate 2e-5] [--longest 1200] [--seed 0]

All methods see the same pairs in the same order. Pairs are divided by their first message, so that no conversation is
both trained on and held out. A method that learns from rated answers (reward/quantiles) gets each answer of a pair with
one attribute: 1 if people preferred it, else 0. Seconds are of the processor; scoring is of the held-out answers.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import fmean
from typing import Any

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load as load_method
from posttrain.config.load import load as load_run
from posttrain.data.dataset import Dataset, load
from posttrain.evaluation.compare.proxy import numbers
from posttrain.evaluation.reward_models.judged import JudgedPair
from posttrain.evaluation.reward_models.report import Share, of_pairs
from posttrain.evaluation.tasks.human_pairs import split
from posttrain.launch.run import open_session
from posttrain.records import Demonstration, Pair
from posttrain.seeds import seed_for
from posttrain.turns import answer_text

ONE_ATTRIBUTE = {"reward/quantiles": {"scores.mix": [1.0]}, "reward/gaussian": {"scores.mix": [1.0]}}


def deal(options: argparse.Namespace) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on, and held-out ones, of at most so many characters."""
    read = load(options.data, "pairs", invalid="drop").records
    short = [p for p in read if sum(len(str(x)) for x in (p.prompt, p.chosen, p.rejected)) <= options.longest]
    known, unknown = split(short, options.held_out)
    return sorted(known, key=lambda p: seed_for(options.seed, "train on", p.id))[: options.pairs], unknown


def as_records(pairs: list[Pair], kind: str) -> Dataset:
    if kind == "pairs":
        return Dataset(tuple(pairs), "human pairs")
    rated = [
        Demonstration(seed_for(name, p.id), p.prompt, answer, columns={"attributes": [mark]})
        for p in pairs
        for name, answer, mark in (("chosen", p.chosen, 1.0), ("rejected", p.rejected, 0.0))
    ]
    return Dataset(tuple(rated), "human pairs, rated")


def judged(session: Any, pairs: list[Pair]) -> list[JudgedPair]:
    """The mean of the members of an ensemble, else the score, of both answers of each pair."""
    answers = [Demonstration(p.id, p.prompt, answer) for p in pairs for answer in (p.chosen, p.rejected)]
    scores = numbers(session, answers).mean(1).tolist()
    words = [tuple(len(answer_text(a).split()) for a in (p.chosen, p.rejected)) for p in pairs]
    return [JudgedPair(a, b, n) for a, b, n in zip(scores[::2], scores[1::2], words, strict=True)]


def measure(path: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train one method and report on the held-out pairs."""
    known, unknown = deal(options)
    settings = ONE_ATTRIBUTE.get(path, {})
    method = configure(load_method(path), settings)
    (stream,) = method.streams.values()
    kind = stream.kind.name
    rows = options.batch if kind == "pairs" else 2 * options.batch
    train = {"steps": -(-len(known) // options.batch), "prompts_per_step": rows, "learning_rate": options.learning_rate}
    train |= {"schedule": "linear", "warmup": 0.1, "tokens_per_device": 4096}
    content = {"model": options.model, "method": {"path": path, **settings}, "train": train, "seed": options.seed}
    with open_session(load_run(content, complete=False), write=False) as session:
        began = time.process_time()
        session.train(method, as_records(known, kind), rewards=())
        trained = time.process_time()
        pairs = judged(session, unknown)
        scored = time.process_time()
    found = of_pairs(pairs)
    return {"method": path, "report": found, "train_s": trained - began, "score_s": scored - trained}


def row(result: dict[str, Any]) -> str:
    found = result["report"]
    accuracy: Share = found["accuracy"]
    c, bias = found["calibration"], found.get("length")
    length = "" if bias is None else f"{bias.bias[0]:+.3f} [{bias.bias[1]:+.3f}, {bias.bias[2]:+.3f}]"
    return (
        f"| {result['method']} | {accuracy.mean:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}] | {c.ece:.3f} | "
        f"{c.brier:.3f} | {c.log_loss:.3f} | {c.temperature:.2f} | {length} | {result['train_s']:.0f} | "
        f"{result['score_s']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--methods", nargs="+", default=["reward/bradley_terry", "reward/ensemble", "reward/quantiles"])
    parser.add_argument("--model", default="smollm2")
    for name, value in (("pairs", 256), ("held-out", 400), ("batch", 16), ("longest", 1200), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    options = parser.parse_args()
    known, unknown = deal(options)
    longer = fmean(float(len(answer_text(p.chosen).split()) > len(answer_text(p.rejected).split())) for p in unknown)
    print(f"{len(known)} pairs to train on, {len(unknown)} held out; the longer answer is preferred in {longer:.3f}\n")
    print("| method | accuracy | ECE | Brier | log loss | best T | verbosity bias | train, s | score, s |")
    print("|" + " --- |" * 9)
    for path in options.methods:
        result = measure(path, options)
        print(row(result), flush=True)
        print(json.dumps({"method": path, "train_s": result["train_s"], "score_s": result["score_s"]}), flush=True)


if __name__ == "__main__":
    main()
