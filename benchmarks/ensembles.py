"""What four LoRA members on one trunk cost beside one reward model: seconds of CPU and peak memory of a batch.

    python benchmarks/ensembles.py [--pairs 4] [--tokens 128] [--repeats 3]

Each case runs in a process of its own, so that its peak memory is its own. Numbers go to benchmarks/ensembles.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
CASES = {
    "one": "one reward model, LoRA in all layers",
    "top": "one member, LoRA in the last sixth of the layers",
    "four": "four members, LoRA in the last sixth of the layers",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--case")
    options = parser.parse_args()
    if options.case:
        sys.stdout.write(json.dumps(measured(options)))
        return
    found = {}
    for case in CASES:
        own = [sys.executable, __file__, *sys.argv[1:], "--case", case]
        found[case] = json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout)
        sys.stdout.write(f"{CASES[case]}: {found[case]}\n")
    one, four = found["one"], found["four"]
    found["four / one"] = {key: round(four[key] / one[key], 3) for key in one}
    sys.stdout.write(f"four / one {found['four / one']}\n")
    (HERE / "ensembles.json").write_text(json.dumps({"options": vars(options), **found}, indent=1) + "\n")


def measured(options: argparse.Namespace) -> dict[str, float]:
    """CPU seconds of scoring and of a training step, the best of several, and the peak memory in MB."""
    import torch

    from posttrain.core.rows import Rows
    from posttrain.models.loading.load import load
    from posttrain.models.lora import add_lora
    from posttrain.models.member_lora import add_members

    torch.set_num_threads(1)
    network = load(options.model).network
    members = {"one": 1, "top": 1, "four": 4}[options.case]
    network.add_head("score", 0, members)
    if options.case == "one":
        add_lora(network, 16, 32.0)
    else:
        add_members(network, members, 16, 32.0)
    generator = torch.Generator().manual_seed(0)
    count = 2 * options.pairs
    tokens = torch.randint(0, network.vocab_size, (count * options.tokens,), generator=generator)
    index = torch.arange(count).repeat_interleave(options.tokens)
    rows = Rows(index, torch.ones_like(index, dtype=torch.bool), count)

    def scores() -> torch.Tensor:
        return network(tokens, rows, ["scores"])["scores"]

    def train() -> None:
        chosen, rejected = scores().view(options.pairs, 2, -1).unbind(1)
        torch.nn.functional.softplus(rejected - chosen).mean().backward()

    with torch.no_grad():
        scoring = min(timed(scores) for _ in range(options.repeats))
    training = min(timed(train) for _ in range(options.repeats))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"scoring_s": round(scoring, 3), "training_s": round(training, 3), "peak_mb": round(peak)}


def timed(function: object) -> float:
    start = time.process_time()
    function()  # type: ignore[operator]
    return time.process_time() - start


if __name__ == "__main__":
    main()
