"""Scores of a reward model on both answers of human pairs, in processor seconds. Against a transformers loop.

    python benchmarks/scoring.py --data hh_harmless_dev.jsonl [--rows 64] [--batch 16] [--rounds 3]

Ours is what `rewards: [{path: reward_model, model: FOLDER}]` calls. The peer is AutoModelForSequenceClassification on
batches with padding, in the order of the file. Both read SmolLM2-135M with the same random score head, and both print
the mean score. Processor time, because it does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import human_pairs
import torch
from pairs import fastest_dtype, in_turn

from posttrain.models.loading.load import load as load_model
from posttrain.models.loading.save import save


def classifier(folder: Path) -> Path:
    """SmolLM2 with a score head, in a folder that both sides read."""
    loaded = load_model("smollm2", dtype="float32")
    loaded.network.add_head("score", seed=0)
    save(loaded.network, loaded.tokenizer, folder / "classifier")
    return folder / "classifier"


def measured(options: argparse.Namespace, score: Callable[[list], list[float]]) -> list[float]:
    """Processor seconds for all transcripts, without the first call, which prepares."""
    pairs = human_pairs.read(options.data, options.rows)
    talks = [turns for pair in pairs for turns in human_pairs.both(pair)]
    score(talks[: options.batch])
    begin = time.process_time()
    scores = [x for i in range(0, len(talks), options.batch) for x in score(talks[i : i + options.batch])]
    seconds = time.process_time() - begin
    print(f"mean score {fmean(scores):.4f}", file=sys.stderr)
    return [seconds]


def ours(options: argparse.Namespace, folder: Path) -> list[float]:
    from posttrain.config.load import load
    from posttrain.launch.text_roles import reward_models

    reward = {"path": "reward_model", "model": {"path": str(classifier(folder)), "dtype": fastest_dtype()}}
    (role,) = reward_models(load({"model": "tiny", "rewards": [reward]}, complete=False), None).values()
    return measured(options, lambda talks: role.score([tuple(turns) for turns in talks]))


def loop(options: argparse.Namespace, folder: Path) -> list[float]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    source = classifier(folder)
    dtype = getattr(torch, fastest_dtype())
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=1, dtype=dtype).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)

    @torch.no_grad()
    def score(talks: list) -> list[float]:
        texts = [tokenizer.apply_chat_template(turns, tokenize=False) for turns in talks]
        batch = tokenizer(texts, padding=True, add_special_tokens=False, return_tensors="pt")
        return model(**batch).logits[:, 0].float().tolist()

    return measured(options, score)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="JSONL of transcripts: chosen, rejected")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    in_turn(parser, {"ours": ours, "loop": loop}, "s of processor time", more_is_better=False, peer="transformers")
