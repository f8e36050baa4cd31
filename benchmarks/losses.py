"""The update of every critic-free method beside that of online/grpo: processor seconds on one batch of answers.

    python benchmarks/losses.py [--model smollm2] [--prompts 2] [--samples 4] [--tokens 64] [--rounds 3]
        [--methods online/cispo ...]

Sampling is left out: it costs every method the same, and would hide the loss. All methods train the same network on the
same rows in turn, with one optimiser step a batch, without a reference model, and with a learning rate of 0, so that
each of them sees the same weights. The number of a method is its fastest round over GRPO's. Numbers go to
benchmarks/losses_MODEL.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import torch

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.config.load import load
from posttrain.core.batch import Batch
from posttrain.core.method import Method, variant
from posttrain.core.plan import plan
from posttrain.data.collate import collate, episode_columns
from posttrain.launch.run import open_session
from posttrain.records import Numbers, Row
from posttrain.training.trainer import Trainer

HERE, GRPO = Path(__file__).parent, "online/grpo"
PROMPT, VOCABULARY = 16, 64  # the first tokens of any vocabulary
NAMES = (
    "clip_cov cispo dapo dppo dr_grpo gdpo gmpo gpg grpo_process gspo kl_cov luspo maxrl opo pass_at_k "
    "reinforce_plus_plus_baseline sapo skywork_or1 top_entropy vespo"
)
METHODS = [f"online/{name}" for name in NAMES.split()]
FURTHER_PASS = {"online/clip_cov", "online/kl_cov", "online/top_entropy"}  # they look at the tokens before the step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--prompts", type=int, default=2)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--methods", nargs="*", default=METHODS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options, folder)
    (HERE / f"losses_{Path(options.model).name}.json").write_text(
        json.dumps({"options": vars(options), **found}, indent=1) + "\n"
    )


def measured(options: argparse.Namespace, folder: str) -> dict[str, dict[str, float]]:
    """Seconds of each method's fastest update, and its ratio to GRPO's."""
    content = {"model": options.model, "method": GRPO, "output": folder, "rewards": ["length"]}
    file = load(content, [f"train.tokens_per_device={4 * (PROMPT + options.tokens)}"], complete=False)
    with open_session(file, write=False) as session:
        methods = {path: method(path) for path in [GRPO, *options.methods]}
        data = {path: batch(options, m) for path, m in methods.items()}
        seconds: dict[str, list[float]] = {path: [] for path in methods}
        for number in range(options.rounds + 1):
            for path, m in methods.items():
                planned = plan(m, {"main": set(data[path])})
                trainer = Trainer(planned, session.run.learner, rates=lambda _: {"policy": 0.0})
                begin = time.process_time()
                trainer.train({"main": data[path]})
                seconds[path] += [time.process_time() - begin] if number else []  # the first round prepares
    least = {path: min(x) for path, x in seconds.items()}
    found = {path: {"seconds": round(x, 4), "ratio": round(x / least[GRPO], 4)} for path, x in least.items()}
    for path, numbers in found.items():
        star = " *" if path in FURTHER_PASS else ""
        sys.stdout.write(f"{path:40} {numbers['seconds']:.4f} s {numbers['ratio']:.3f}{star}\n")
    return found


def method(path: str) -> Method:
    """The method with one optimiser step a batch and without a KL, so that no reference is read."""
    loaded = variant(catalogue.load(path), passes=1, minibatches=1)
    return configure(loaded, {"kl.weight": 0.0}) if "kl" in loaded.loss and path != "online/kl_cov" else loaded


def batch(options: argparse.Namespace, of: Method) -> Batch:
    """The same random answers for every method, with the columns that this one reads."""
    g = torch.Generator().manual_seed(0)
    wanted, rows = episode_columns(of.columns, ["length"]), []
    for prompt in range(options.prompts):
        before = torch.randint(1, VOCABULARY, (PROMPT,), generator=g).tolist()
        for sample in range(options.samples):
            answer = torch.randint(1, VOCABULARY, (options.tokens,), generator=g).tolist()
            own, n = [False] * PROMPT + [True] * options.tokens, PROMPT + options.tokens
            reward = float(torch.rand((), generator=g))
            known = {"dense_reward": [reward / n] * n, "named_rewards": Numbers([reward])}
            known["reward_weights"] = Numbers([1.0])
            columns = {"group": prompt, "author": 0, "ended": True, "temperature": 1.0, "reward": reward}
            columns |= {"rollout_logp": [-5.0] * n, **{name: known[name] for name in wanted & set(known)}}
            rows.append(Row(100 * prompt + sample, tuple(before + answer), tuple(own), tuple(own), columns))
    return collate(rows, scalars={"max_tokens": options.tokens})


if __name__ == "__main__":
    main()
