"""Values of other trainers as values of the run file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.convert.rules import UnsupportedError

SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant", "constant_with_warmup": "constant"}
TRACKERS = ("tensorboard", "trackio", "wandb", "mlflow")
DTYPES = {"auto": "auto", "float32": "float32", "bfloat16": "bfloat16"}


def schedule(name: Any) -> str:
    """Return the decay of the learning rate."""
    if name not in SCHEDULES:
        nearest = {"cosine": "cosine", "polynomial": "linear"}.get(str(name).partition("_")[0], "constant")
        raise UnsupportedError(f"train.schedule is one of {', '.join(dict.fromkeys(SCHEDULES.values()))}", nearest)
    return SCHEDULES[name]


def dtype(name: Any) -> str:
    """Return the number format of the computation."""
    if str(name) not in DTYPES:
        raise UnsupportedError(f"model.dtype is one of {', '.join(DTYPES)}")
    return DTYPES[str(name)]


def positive_or_null(value: Any) -> Any:
    """Return null for a number that switches something off by being 0 or less."""
    return value if float(value) > 0 else None


def whole_steps(value: Any) -> int:
    """Return a number of steps. Fractions of a run have no counterpart."""
    if float(value) < 1 or float(value) != int(float(value)):
        raise UnsupportedError("a whole number of steps was expected")
    return int(float(value))


def warmup(value: Any) -> Any:
    """Return a warm-up as a number of steps, or as a fraction of the run below 1."""
    number = float(value)
    return number if 0 < number < 1 else int(number)


def bfloat16(on: Any) -> str:
    """Return the number format for `bf16: true`."""
    if on not in (True, False, "auto", "full"):
        raise UnsupportedError("model.dtype: auto takes bfloat16 where the hardware multiplies it natively")
    return "auto" if on == "auto" else "bfloat16" if on else "float32"


def cpu(on: Any) -> str:
    """Return the device for `use_cpu: true`."""
    return "cpu" if on else "auto"


def order(how: Any) -> str:
    """Return the order of the records: `file` for false and sequential, else `shuffled`."""
    return "file" if how in (False, "sequential") else "shuffled"


def tokens(value: Any) -> list[str]:
    """Return tokens to add. A mapping of special tokens names those that a tokenizer has."""
    if isinstance(value, Mapping):
        raise UnsupportedError("a list of tokens was expected; special tokens are those of the tokenizer")
    return [str(token) for token in listed(value)]


def trackers(names: Any) -> list[str]:
    """Return the trackers of `report`, without those that posttrain does not have."""
    wanted = [str(name) for name in listed(names) if name not in ("none", "console", "file")]
    known = [name for name in wanted if name in TRACKERS]
    if known != wanted:
        raise UnsupportedError(f"trackers are {', '.join(TRACKERS)}", known or None)
    return known


def listed(value: Any) -> list[Any]:
    """Return a list: one value, a text with commas, or a list."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return list(value) if isinstance(value, list | tuple) else [value]
