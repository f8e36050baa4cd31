"""Reward functions with every kind of fault, for workers to import. The completion selects the fault."""

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


def imports_torch(prompts, completions):
    return [float("torch" in sys.modules) for _ in completions]
