"""What every benchmark shares: two sides run in turn in one process, medians, and one line of JSON at the end."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median


def report(ours: Sequence[float], peer: Sequence[float], unit: str, *, more_is_better: bool, **facts: object) -> None:
    """Prints the raw numbers of both sides, and `RESULT {json}` with the ratio of medians (above 1: ours is better)."""
    a, b = median(ours), median(peer)
    ratio = a / b if more_is_better else b / a
    print("ours", " ".join(f"{x:.3f}" for x in ours), unit)
    print("peer", " ".join(f"{x:.3f}" for x in peer), unit)
    result = {"ratio": round(ratio, 3), "ours": a, "peer": b, "unit": unit, "repeats": len(ours), **facts}
    print("RESULT", json.dumps({**result, "machine": machine()}))


def machine() -> str:
    """Name of the processor and number of threads in use."""
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.processor())
    return f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}"
