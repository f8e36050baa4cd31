"""The vLLM side of decode.py, for the Python of a venv that has vLLM and not posttrain.

The first line of standard input is the job; every further line asks for so many of its answers, and gets the seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "4", "VLLM_LOGGING_LEVEL": "ERROR"}
    answers, sys.stdout = sys.stdout, sys.stderr  # vLLM prints
    from vllm import LLM, SamplingParams

    job = json.loads(sys.stdin.readline())
    longest = max(map(len, job["prompts"])) + max(job["lengths"])
    llm = LLM(
        job["model"],
        dtype=job["dtype"],
        max_model_len=longest,
        max_num_seqs=job["slots"],
        enable_prefix_caching=True,
        disable_log_stats=True,
    )
    prompts = [{"prompt_token_ids": p} for p in job["prompts"]]
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        settings = [
            SamplingParams(temperature=1.0, max_tokens=n, ignore_eos=True, detokenize=False, seed=None)
            for n in job["lengths"][: int(line)]
        ]
        begin = time.perf_counter()
        made = llm.generate(prompts[: int(line)], settings, use_tqdm=False)
        seconds = time.perf_counter() - begin
        assert [len(r.outputs[0].token_ids) for r in made] == job["lengths"][: int(line)]
        print(seconds, file=answers, flush=True)


if __name__ == "__main__":
    main()
