"""Measure the studio with 100 runs of 10,000 steps: python benchmarks/studio.py > benchmarks/studio.json

Every page is asked for from a server in a process of its own: first when nothing is parsed yet, then again.
Milliseconds: median, 95th percentile and largest on the clock, and the mean of the server's processor time, which does
not depend on what else the machine does. Besides, seconds until the server answers, and its memory in MB.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from random import Random

METRICS = 16  # besides the step


def make_runs(folder: Path, runs: int, steps: int) -> None:
    names = ["reward", "kl", "entropy", "loss", "grad_norm", "completions/mean_length", "learning_rate"]
    names += [f"rewards/part{n}/mean" for n in range(METRICS - len(names))]
    for run in range(runs):
        random, own = Random(run), folder / f"run-{run:03d}"
        own.mkdir()
        ended = {"how": "finished", "steps": steps}
        (own / "run.json").write_text(json.dumps({"id": str(run), "attempt": 1, "ended": ended}))
        (own / "config.yaml").write_text(f"method: {{path: online/grpo}}\nmodel: {{path: tiny}}\nseed: {run}\n")
        with (own / "metrics.jsonl").open("w") as file:
            for step in range(1, steps + 1):
                row = {"step": step, **{name: random.gauss(step / steps, 0.1) for name in names}}
                file.write(json.dumps(row) + "\n")


def serve(folder: Path) -> tuple[subprocess.Popen[str], str, float]:
    started = time.monotonic()
    command = [sys.executable, "-m", "posttrain", "studio", str(folder), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    link = re.search(r"http\S+", server.stdout.readline())[0]
    return server, link, time.monotonic() - started


def timed(opener: urllib.request.OpenerDirector, url: str) -> float:
    started = time.monotonic()
    opener.open(url).read()
    return 1000 * (time.monotonic() - started)


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    ninety_fifth = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
    known = {"median": statistics.median(values), "p95": ninety_fifth, "largest": ordered[-1]}
    return {name: round(x, 1) for name, x in known.items()}


def processor(pid: int) -> float:
    """Milliseconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def visit(opener: urllib.request.OpenerDirector, pid: int, urls: list[str]) -> dict[str, object]:
    before = processor(pid)
    times = [timed(opener, url) for url in urls]
    return {**summary(times), "processor": round((processor(pid) - before) / len(urls), 1), "times": times}


def memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, 1)


def measure(folder: Path, runs: int) -> dict[str, object]:
    server, link, seconds = serve(folder)
    try:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        base = link.partition("/enter")[0]
        opener.open(link).read()
        idle = memory(server.pid)
        eight = "&".join(f"run=run-{n:03d}" for n in range(8))
        pages = {
            "list of runs": [f"{base}/runs"] * 20,
            "page of a run": [f"{base}/runs/run-{n:03d}" for n in range(min(runs, 40))],
            "curve of a run": [f"{base}/curves?run=run-{n:03d}&metric=kl&smooth=0.9" for n in range(min(runs, 40))],
            "8 runs over each other": [f"{base}/curves?{eight}&metric=reward"] * 10,
            "comparison of 8 runs": [f"{base}/compare?{eight}"] * 10,
        }
        first = {name: visit(opener, server.pid, urls) for name, urls in pages.items()}
        again = {name: visit(opener, server.pid, urls) for name, urls in pages.items()}
        every = [x for page in (*first.values(), *again.values()) for x in page.pop("times")]
        return {
            "seconds_until_it_answers": round(seconds, 2),
            "idle_mb": idle,
            "mb_after": memory(server.pid),
            "first": first,
            "again": again,
            "all_pages": summary(every),
        }
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_runs(Path(folder), options.runs, options.steps)
        found = measure(Path(folder), options.runs)
    print(json.dumps({"runs": options.runs, "steps": options.steps, "cores": os.cpu_count(), **found}, indent=1))


if __name__ == "__main__":
    main()
