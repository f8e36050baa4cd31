"""Start-up: `import posttrain` and `posttrain --help` against TRL's, as whole processes in turn.

python benchmarks/startup.py [--repeats 7]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from pairs import report

BIN = Path(sys.executable).parent


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    python = sys.executable
    for what, ours, peer in (
        ("import", [python, "-c", "import posttrain"], [python, "-c", "import trl"]),
        ("--help", [str(BIN / "posttrain"), "--help"], [str(BIN / "trl"), "--help"]),
    ):
        seconds(ours), seconds(peer)  # warm the file cache
        times = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
        print(what)
        report([a for a, _ in times], [b for _, b in times], "s", more_is_better=False, what=what, peer_name="trl")


if __name__ == "__main__":
    main()
