"""Memory of log-probs and entropies, forward and backward, above that of the hidden states and weights: MiB.

    python benchmarks/memory.py [--tokens 2048] [--vocabulary 151936] [--width 64] [--rounds 1]

Against torch's log_softmax of all logits. The bar is 16,384 tokens of ours; log_softmax would need 40 GB there. Peaks
of a whole GRPO step are `peak_mib` of grpo_step.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from pairs import in_turn
from torch import Tensor

Law = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]  # hidden, weight, targets -> log-probs, entropies
STATUS, FORGET_PEAK = Path("/proc/self/status"), "5"


def peak(options: argparse.Namespace, law: Law) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    hidden, weight = (
        torch.randn(n, options.width, generator=generator).bfloat16().requires_grad_()
        for n in (options.tokens, options.vocabulary)
    )
    targets = torch.randint(0, options.vocabulary, (options.tokens,), generator=generator)
    hidden.grad, weight.grad = torch.zeros_like(hidden), torch.zeros_like(weight)
    Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
    before = resident()
    logp, entropy = law(hidden, weight, targets)
    (logp.sum() + entropy.sum()).backward()
    return [resident() - before]


def resident() -> float:
    """The largest resident memory of this process so far."""
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def ours(options: argparse.Namespace, folder: Path) -> list[float]:  # noqa: ARG001
    from posttrain.models.logprobs import selected_logp

    return peak(options, lambda hidden, weight, targets: selected_logp(hidden, weight, None, targets, 1.0, True))


def plain(options: argparse.Namespace, folder: Path) -> list[float]:  # noqa: ARG001
    def law(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logp = (hidden @ weight.T).float().log_softmax(-1)
        return logp.gather(1, targets[:, None])[:, 0], -(logp.exp() * logp).sum(-1)

    return peak(options, law)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("tokens", 2048), ("vocabulary", 151_936), ("width", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.set_defaults(dtype="bfloat16")  # whatever the processor does fastest
    parser.add_argument("--alone", action="store_true", help="measure only ours, and print it")
    if parser.parse_known_args()[0].alone:
        print(f"ours {ours(parser.parse_args(), Path())[0]:.0f} MiB")
    else:
        in_turn(parser, {"ours": ours, "plain": plain}, "MiB", more_is_better=False, peer="log_softmax")
