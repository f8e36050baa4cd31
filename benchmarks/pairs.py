"""What every benchmark shares: two sides measured in turn, medians, and one line of JSON at the end."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from posttrain.machine.allocator import PRIMITIVE_CACHES

Side = Callable[[argparse.Namespace, Path], list[float]]  # options, an empty folder -> one number per repetition

# What posttrain sets for itself, for a peer: freed memory stays with the process, and few prepared products.
KEEP_FREED_MEMORY = {
    **PRIMITIVE_CACHES,
    "GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=2147483647:glibc.malloc.top_pad=67108864",
}


def in_turn(
    parser: argparse.ArgumentParser, sides: Mapping[str, Side], unit: str, *, more_is_better: bool, peer: str
) -> None:
    """Runs `ours` and the peer in turn, each time in a process of its own, and reports.

    Options besides the parser's: --rounds, and --peer-malloc to give the peer our settings of the C library's malloc.
    """
    parser.add_argument("--rounds", type=int, default=2, help="how often each side is started")
    parser.add_argument("--peer-malloc", action="store_true", help="the peer, too, keeps freed memory")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        with tempfile.TemporaryDirectory() as folder:
            numbers = sides[options.side](options, Path(folder))
        print(json.dumps({"numbers": numbers, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))
        return
    numbers: dict[str, list[float]] = {name: [] for name in sides}
    peaks: dict[str, list[int]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name in sides:
            environment = KEEP_FREED_MEMORY if options.peer_malloc and name != "ours" else {}
            outcome = _started(name, environment)
            numbers[name] += outcome["numbers"]
            peaks[name].append(outcome["peak_mib"])
    settings = {k: v for k, v in vars(options).items() if k not in ("side", "data")}
    facts = {"peer_name": peer, "peak_mib": {n: median(p) for n, p in peaks.items()}, **settings}
    mine, theirs = numbers.values()
    report(mine, theirs, unit, more_is_better=more_is_better, **facts)


def _started(side: str, environment: Mapping[str, str]) -> dict:
    command = [sys.executable, *sys.argv, "--side", side]
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def report(ours: Sequence[float], peer: Sequence[float], unit: str, *, more_is_better: bool, **facts: object) -> None:
    """Prints the raw numbers of both sides, and `RESULT {json}` with the ratio of medians (above 1: ours is better)."""
    a, b = median(ours), median(peer)
    ratio = a / b if more_is_better else b / a
    print("ours", " ".join(f"{x:.3f}" for x in ours), unit)
    print("peer", " ".join(f"{x:.3f}" for x in peer), unit)
    facts = {"dtype": fastest_dtype(), **facts}
    result = {"ratio": round(ratio, 3), "ours": a, "peer": b, "unit": unit, "repeats": len(ours), **facts}
    print("RESULT", json.dumps({**result, "machine": machine()}))


def machine() -> str:
    """Name of the processor and number of threads in use."""
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.processor())
    return f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def fastest_dtype() -> str:
    """What the processor multiplies fastest, for both sides: the rule of `model: {dtype: auto}`."""
    import torch

    return "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"


class Stopwatch:
    """Seconds between two steps."""

    def __init__(self) -> None:
        self.marks = [time.perf_counter()]

    def mark(self) -> None:
        self.marks.append(time.perf_counter())

    @property
    def steps(self) -> list[float]:
        return [b - a for a, b in zip(self.marks, self.marks[1:], strict=False)]
