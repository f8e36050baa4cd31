"""Reward functions with every kind of fault, for workers to import. The completion selects the fault."""

import asyncio
import ctypes
import os
import random
import re
import subprocess
import sys
import threading
import time


def length(prompts, completions):
    return [float(len(c)) for c in completions]


def brevity(completions, *, limit=10):
    return [1.0 if len(c) <= limit else 0.0 for c in completions]


def words(prompts, completions, answer, hint=None):
    hints = hint or ["none"] * len(completions)
    return [float(f"{p}|{a}|{h}" == c) for p, c, a, h in zip(prompts, completions, answer, hints)]


def seen(completions, **columns):
    return [float("".join(sorted(columns)) == c) for c in completions]


def obedient(prompts, completions):
    """Do what each completion says."""
    return [_obey(c) for c in completions]


def _obey(order):
    name, _, rest = order.partition(" ")
    if name == "raise":
        raise ValueError(rest)
    if name == "sleep":
        time.sleep(60)
    if name == "spin":
        while True:
            pass
    if name == "redos":
        re.fullmatch(r"(a+)+b", "a" * 60)
    if name == "bomb":
        return float(9**9**9**9)
    if name == "sys.exit":
        sys.exit(int(rest))
    if name == "os._exit":
        os._exit(int(rest))
    if name == "segfault":
        ctypes.string_at(0)
    if name == "flood":
        while True:
            os.write(1, b"nonsense" * 1000)
    if name == "print":
        print("x" * 1_000_000)
        subprocess.run(["echo", "from a child"])
        return 1.0
    if name == "child":
        subprocess.Popen(["sleep", rest], start_new_session=True)
        time.sleep(60)
    if name == "fork":
        os.fork()
        return 1.0
    if name == "close":
        os.closerange(0, 100)
        return 1.0
    if name == "chdir":
        os.chdir("/")
        return 1.0
    if name == "where":
        return float(os.getcwd() == rest)
    if name == "baseexception":
        raise KeyError(BaseException("deep"))
    if name == "stopped":
        raise type("Stopped", (BaseException,), {})("now")
    if name == "main-thread":
        return float(threading.current_thread() is threading.main_thread())
    if name == "nan":
        return float("nan")
    return float(len(order))


def one_for_all(prompts, completions):
    return [1.0]


def lazy(prompts, completions):
    return (1.0 for _ in completions)


def chance(prompts, completions):
    import numpy as np

    return [random.random() + np.random.random() for _ in completions]


def impolite(prompts, completions, tests):
    """Change the inputs and all global state."""
    import numpy as np

    random.seed(1)
    np.random.seed(1)
    os.chdir("/")
    tests[0].append("changed")
    completions.clear()
    return [1.0] * len(tests)


def imports_heavy(prompts, completions):
    return [float(bool({"torch", "transformers", "jinja2", "sympy"} & set(sys.modules))) for _ in completions]


class Scaled:
    """Counts how often an instance of it was made and called."""

    def __init__(self, factor=1, shift=0):
        self.factor, self.shift, self.made = factor, shift, 0
        Scaled.instances = getattr(Scaled, "instances", 0) + 1

    def __call__(self, completions, *, count=False):
        if count:
            return [float(Scaled.instances)] * len(completions)
        return [self.factor * len(c) + self.shift for c in completions]


class Needy:
    def __init__(self, table): ...
    def __call__(self, completions): ...


class Mute:
    pass


def counter(start):
    first = int(start)
    return lambda completions: [float(first + k) for k in range(len(completions))]


def broken(start):
    return start


def holds(completions, *, model):
    return [1.0] * len(completions)


def in_trls_form(prompts, completions, completion_ids, trainer_state, log_extra=None, log_metric=None, **kwargs):
    share = trainer_state.global_step / trainer_state.max_steps
    log_metric("half", share)
    log_extra("seen", kwargs["level"])
    texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
    assert all(isinstance(p, str) or p[0]["role"] == "system" for p in prompts)
    assert [len(ids) for ids in completion_ids] == list(range(4, 4 + len(texts)))
    return [len(t) + share for t in texts]


def compute_score(data_source, solution_str, ground_truth, extra_info=None, high=1.0):
    assert data_source in ("gsm8k", "x")
    if solution_str == "boom":
        raise ValueError(solution_str)
    return {"score": high * (solution_str == ground_truth), "known": extra_info == {}, "why": "compared"}


def compute_scores(data_sources, solution_strs, ground_truths, extra_infos):
    assert extra_infos[0] == {"k": 1}
    return [float(s == g) for s, g in zip(solution_strs, ground_truths)]


async def compute_slowly(data_source, solution_str, ground_truth, extra_info):
    await asyncio.sleep(0.01)
    return solution_str == ground_truth


def reads_messages(completions):
    return [len(c[0]["content"]) for c in completions]


def reads_texts(completions):
    return [len(c.strip()) for c in completions]


async def patient(completions, *, seconds=0.2):
    """Sleep at the same time for all prompts; do what the completions say."""
    await asyncio.gather(*(asyncio.sleep(60 if c == "hang" else seconds) for c in completions))
    print("awake")
    return [_obey(c) for c in completions]


def typed_columns(completions, **columns):
    values = [columns[name][0] for name in sorted(columns) if name != "prompts"]
    return [float(repr(values) == c) for c in completions]


def chatty(completions):
    for c in completions:
        print(c)
    return [_obey(c) for c in completions]


def brief(completions):
    print("brief")
    return [-float(len(c)) for c in completions]
