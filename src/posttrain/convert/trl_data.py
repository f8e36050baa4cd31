"""The data and the rewards of TRL's scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.convert.datasets import Dataset, has_data, located, set_datasets
from posttrain.convert.draft import Draft
from posttrain.convert.settings import Settings
from posttrain.convert.values import listed

PATHS = {
    "demonstrations": "messages, or prompt and completion",
    "pairs": "prompt, chosen and rejected",
    "ratings": "prompt, completion and label",
    "prompts": "prompt, and the columns that rewards read",
}


def records(settings: Settings, draft: Draft, kind: str) -> None:
    """Set the training data and, if TRL evaluates, the held-out data."""
    if settings("dataset_prompt_column") not in (None, "prompt"):
        draft.set("data.columns", {"prompt": settings("dataset_prompt_column")}, "dataset_prompt_column")
    key, datasets = _datasets(settings)
    set_datasets(draft, "data", datasets, settings.origin(key))
    if not has_data(draft, "data"):
        draft.fill_in("data.path", "data.jsonl", f"the configuration names no dataset; columns: {PATHS[kind]}")
    asked = settings("eval_strategy") or settings("evaluation_strategy") or "no"
    if asked not in ("no", False) and settings("dataset_name"):
        test = located(settings("dataset_name"), settings("dataset_config"), settings("dataset_test_split") or "test")
        set_datasets(draft, "evaluate.data", [Dataset(test)], settings.origin("dataset_test_split"))
        if settings("num_generations_eval"):
            draft.set("evaluate.samples", settings.whole("num_generations_eval"), "num_generations_eval")
    shares = [e.get(k) for e in _entries(settings) for k in ("weight", "fraction") if e.get(k) not in (None, 1)]
    if shares:
        draft.differ(f"{key}: a share of a dataset is a number of records here: size of its entry in data.mix")


def _datasets(settings: Settings) -> tuple[str, list[Dataset]]:
    """Return the key that names the datasets, and the datasets: TRL's, or those of scripts around it."""
    entries, mixer = _entries(settings), settings("dataset_mixer")
    if entries:
        found = [
            Dataset(located(str(e.get("path") or e.get("id")), e.get("name") or e.get("config"), e.get("split")))
            for e in entries
        ]
        return ("datasets" if settings("datasets") else "dataset_mixture"), found
    if isinstance(mixer, Mapping):
        return "dataset_mixer", [Dataset(name) for name in mixer]
    name = settings("dataset_name")
    path = [Dataset(located(name, settings("dataset_config"), settings("dataset_train_split")))] if name else []
    return "dataset_name", path


def _entries(settings: Settings) -> list[Mapping[str, Any]]:
    """Return the entries of a mixture."""
    mixture = settings("dataset_mixture")
    entries = settings("datasets") or (mixture.get("datasets") if isinstance(mixture, Mapping) else None)
    return [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []


def rewards(settings: Settings, draft: Draft) -> None:
    """Set the reward functions and their weights, or the reward model."""
    names = listed(settings("reward_funcs")) if settings("reward_funcs") else []
    model = settings("reward_model_name_or_path") or settings("reward_model_path")
    weights = listed(settings("reward_weights")) if settings("reward_weights") else [1.0] * len(names)
    pairs = zip(names, weights[-len(names) :], strict=True)
    entries = [{"path": reward_path(str(name)), "weight": float(weight), "signature": "trl"} for name, weight in pairs]
    if entries:
        draft.set(
            "rewards", entries, settings.origin("reward_funcs", *["reward_weights"] * ("reward_weights" in settings))
        )
    elif not model:
        draft.fill_in("rewards", [], "[NAME, ./rewards.py:function]; TRL's trainers get their functions from Python")


def reward_path(name: str) -> str:
    """Return a reward of TRL's scripts as posttrain names it: `trl.rewards:NAME`, or `package.module:function`."""
    if "." not in name:
        return f"trl.rewards:{name}"
    module, _, function = name.rpartition(".")
    return f"{module}:{function}"
