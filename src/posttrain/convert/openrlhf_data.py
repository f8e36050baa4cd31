"""What all trainers of OpenRLHF say in the same way: data, evaluation, adapters, output."""

from __future__ import annotations

from pathlib import PurePosixPath

from posttrain.convert.adapters import adapters
from posttrain.convert.datasets import Dataset, located, set_datasets
from posttrain.convert.draft import Draft
from posttrain.convert.settings import Settings
from posttrain.convert.values import listed
from posttrain.errors import ConfigError

MANY = 10**6  # OpenRLHF's defaults of max_samples are at least this


def common(settings: Settings, draft: Draft, data: str, columns: dict[str, str], *, optimiser: str = "") -> None:
    """Set everything but method and batch. `data`: `prompt_` or nothing. `columns`: ours -> the option of its name."""
    model = "actor.model_name_or_path" if optimiser else "model.model_name_or_path"
    if settings(model):
        draft.set("model.path", settings(model), model)
    else:
        draft.fill_in("model.path", "MODEL", f"the command names no --{model}")
    if settings("ds.lora.rank") and settings.whole("ds.lora.rank") > 0:
        names = ("rank", "alpha", "target_modules", "dropout")
        rank, alpha, targets, dropout = ((settings(f"ds.lora.{n}"), settings.origin(f"ds.lora.{n}")) for n in names)
        adapters(draft, rank=rank, alpha=alpha, targets=targets, dropout=dropout)
    _data(settings, draft, data, columns)
    _report(settings, draft)
    warmup = f"{optimiser}lr_warmup_ratio"
    draft.set("train.warmup", settings.number(warmup), settings.origin(warmup))
    if f"{optimiser}lr_scheduler" not in settings:
        draft.set("train.schedule", "cosine", f"OpenRLHF's default of {optimiser}lr_scheduler, which ends at a tenth")
    if f"{optimiser}adam.betas" not in settings:
        draft.set("train.betas", [0.9, 0.95], f"OpenRLHF's default of {optimiser}adam.betas")


def _data(settings: Settings, draft: Draft, data: str, columns: dict[str, str]) -> None:
    renamed = {ours: settings(key) for ours, key in columns.items() if settings(key) not in (None, ours)}
    paths, shares = listed(settings(f"data.{data}dataset") or []), listed(settings(f"data.{data}probs") or [])
    if data == "":
        shares = listed(settings("data.dataset_probs") or [])
    if shares and len(shares) != len(paths):
        raise ConfigError(f"{len(paths)} datasets and {len(shares)} probabilities: give one for each")
    split = settings(f"data.{data or 'dataset_'}split")
    weights: list[float | None] = [float(share) for share in shares] or [None] * len(paths)
    sources = [Dataset(located(str(p), split=split), renamed, w) for p, w in zip(paths, weights, strict=True)]
    set_datasets(draft, "data", sources, f"data.{data}dataset")
    if not sources:
        draft.fill_in("data.path", "data.jsonl", f"the command names no --data.{data}dataset")
    if len(sources) == 1 and settings("data.max_samples") and settings.whole("data.max_samples") < MANY:
        draft.set("data.size", settings.whole("data.max_samples"), "data.max_samples")
    if not settings("data.apply_chat_template"):
        draft.set("data.chat", False, "data.apply_chat_template is not given")
    held_out = [Dataset(str(path), renamed) for path in listed(settings("eval.dataset") or [])]
    set_datasets(draft, "evaluate.data", held_out, "eval.dataset")
    if held_out and settings("eval.steps") and settings.number("eval.steps") > 0:
        draft.set("evaluate.every", settings.whole("eval.steps"), "eval.steps")


def _report(settings: Settings, draft: Draft) -> None:
    keys = {"wandb": "logger.wandb.key", "tensorboard": "logger.tensorboard_dir"}
    wanted = [name for name, key in keys.items() if settings(key)]
    if wanted:
        draft.set("report", wanted, " and ".join(keys[name] for name in wanted))
    if folder := settings("ckpt.output_dir"):
        path = PurePosixPath(str(folder))
        draft.set("output", str(path.parent), "ckpt.output_dir without its last folder")
        draft.set("name", path.name, "ckpt.output_dir: its last folder")
