"""The data and the rewards of TRL's scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    sources = _sources(settings)
    if not sources:
        draft.fill_in("data.path", "data.jsonl", f"the configuration names no dataset; columns: {PATHS[kind]}")
        return
    key, name, config, split = sources[0]
    draft.set("data.path", located(name, config, split), settings.origin(key))
    if len(sources) > 1:
        draft.lose(key, [source[1] for source in sources[1:]], "only the first dataset of the mixture is taken")
    asked = settings("eval_strategy") or settings("evaluation_strategy") or "no"
    if asked != "no" and key == "dataset_name":
        test = settings("dataset_test_split") or "test"
        draft.set("evaluate.data", located(name, config, test), settings.origin("dataset_test_split"))
        if settings("num_generations_eval"):
            draft.set("evaluate.samples", settings.whole("num_generations_eval"), "num_generations_eval")


def _sources(settings: Settings) -> list[tuple[str, Any, Any, Any]]:
    """Return (key, path, configuration, split) of every dataset: TRL's, or those of scripts around it."""
    mixture, mixer = settings("dataset_mixture"), settings("dataset_mixer")
    entries = settings("datasets") or (mixture.get("datasets") if isinstance(mixture, Mapping) else None)
    if isinstance(entries, list) and entries:
        key = "datasets" if settings("datasets") else "dataset_mixture"
        return [(key, e.get("path") or e.get("id"), e.get("name") or e.get("config"), e.get("split")) for e in entries]
    if isinstance(mixer, Mapping) and mixer:
        return [("dataset_mixer", name, None, None) for name in mixer]
    name = settings("dataset_name")
    return [("dataset_name", name, settings("dataset_config"), settings("dataset_train_split"))] if name else []


def located(name: str, config: Any = None, split: Any = None) -> str:
    """Return a dataset of the hub as posttrain names it: `owner/name:config=NAME,split=NAME`."""
    options = [f"config={config}"] * bool(config) + [f"split={split}"] * bool(split and split != "train")
    return f"{name}:{','.join(options)}" if options else name


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
