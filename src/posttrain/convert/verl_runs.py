"""The runs of verl as methods: what several keys of main_ppo and of its SFT trainer say together."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from posttrain.convert.adapters import adapters
from posttrain.convert.datasets import Dataset, set_datasets
from posttrain.convert.draft import Draft
from posttrain.convert.settings import Settings
from posttrain.convert.values import listed
from posttrain.convert.verl_losses import method
from posttrain.errors import ConfigError

ACTOR, ROLLOUT, MODEL = "actor_rollout_ref.actor", "actor_rollout_ref.rollout", "actor_rollout_ref.model"
DEFAULTS: dict[str, Any] = {
    "data.train_batch_size": 1024,
    "data.max_prompt_length": 512,
    "data.max_response_length": 512,
    "data.prompt_key": "prompt",
    f"{ACTOR}.ppo_mini_batch_size": 256,
    f"{ACTOR}.ppo_epochs": 1,
    f"{ACTOR}.clip_ratio": 0.2,
    f"{ACTOR}.loss_agg_mode": "token-mean",
    f"{ACTOR}.use_kl_loss": False,
    f"{ACTOR}.kl_loss_coef": 0.001,
    f"{ACTOR}.kl_loss_type": "low_var_kl",
    f"{ACTOR}.optim.lr": 1e-6,
    f"{ACTOR}.optim.weight_decay": 0.01,
    f"{ROLLOUT}.n": 1,
    f"{ROLLOUT}.temperature": 1.0,
    f"{MODEL}.lora_alpha": 16,
    f"{MODEL}.target_modules": "all-linear",
    "critic.optim.lr": 1e-5,
    "critic.cliprange_value": 0.5,
    "custom_reward_function.name": "compute_score",
    "algorithm.adv_estimator": "gae",
    "algorithm.gamma": 1.0,
    "algorithm.lam": 1.0,
    "algorithm.norm_adv_by_std_in_grpo": True,
    "algorithm.use_kl_in_reward": False,
    "algorithm.kl_ctrl.type": "fixed",
    "algorithm.kl_ctrl.kl_coef": 0.001,
    "algorithm.kl_ctrl.horizon": 10000,
    "algorithm.kl_ctrl.target_kl": 0.1,
    "trainer.total_epochs": 30,
}
SFT_DEFAULTS: dict[str, Any] = {
    "data.train_batch_size": 256,
    "data.max_length": 1024,
    "optim.lr": 1e-5,
    "optim.weight_decay": 0.01,
    "optim.betas": [0.9, 0.95],
    "model.lora_alpha": 16,
    "model.target_modules": "all-linear",
    "trainer.total_epochs": 4,
}
COLUMNS = {
    "prompt": "data.prompt_key",
    "completion": "data.response_key",
    "messages": "data.multiturn.messages_key",
}


def policy_gradient(settings: Settings, draft: Draft) -> None:
    """Set what main_ppo trains: PPO, GRPO, RLOO or ReMax."""
    settings = settings.with_defaults(DEFAULTS)
    _policy(settings, draft, f"{MODEL}.path", MODEL)
    method(settings, draft)
    _batch(settings, draft)
    _rewards(settings, draft)
    own = draft.values.get("rewards") == ["math_answer"]
    _data(settings, draft, {"answer": "reward_model.ground_truth"} if own else {}, prompts=True)
    _evaluation(settings, draft)
    _rates(settings, draft)
    _length(settings, draft)
    prompt, answer = settings.whole("data.max_prompt_length"), settings.whole("data.max_response_length")
    draft.set("sampling.samples", settings.whole(f"{ROLLOUT}.n"), settings.origin(f"{ROLLOUT}.n"))
    draft.set("sampling.temperature", settings(f"{ROLLOUT}.temperature"), settings.origin(f"{ROLLOUT}.temperature"))
    draft.set("sampling.max_tokens", answer, settings.origin("data.max_response_length"))
    draft.set("train.max_length", prompt + answer, "max_prompt_length + max_response_length")
    decay = f"{ACTOR}.optim.weight_decay"
    draft.set("train.weight_decay", settings(decay), settings.origin(decay))


def supervised(settings: Settings, draft: Draft) -> None:
    """Set what the SFT trainer trains."""
    settings = settings.with_defaults(SFT_DEFAULTS)
    _policy(settings, draft, "model.partial_pretrain", "model")
    draft.set("method.path", "imitation/sft", "the SFT trainer")
    size = "data.train_batch_size"
    draft.set("train.prompts_per_step", settings.whole(size), settings.origin(size))
    _data(settings, draft, {}, prompts=False)
    for ours, key in (
        ("train.learning_rate", "optim.lr"),
        ("train.weight_decay", "optim.weight_decay"),
        ("train.betas", "optim.betas"),
        ("train.max_length", "data.max_length"),
    ):
        draft.set(ours, settings(key), settings.origin(key))
    ratio = next((k for k in ("optim.lr_warmup_steps_ratio", "optim.warmup_steps_ratio") if settings(k)), None)
    draft.set("train.warmup", settings(ratio) if ratio else 0.1, ratio or "verl's default of the warm-up")
    if "optim.lr_scheduler" not in settings:
        draft.set("train.schedule", "cosine", "verl's default of optim.lr_scheduler")
    _length(settings, draft)


def _policy(settings: Settings, draft: Draft, key: str, section: str) -> None:
    if settings(key):
        draft.set("model.path", settings(key), key)
    else:
        draft.fill_in("model.path", "MODEL", "the configuration names no model")
    prefix = "data.apply_chat_template_kwargs."
    variables = {key.removeprefix(prefix): value for key, value in settings.given.items() if key.startswith(prefix)}
    if variables:
        draft.set("model.chat_template_kwargs", variables, "data.apply_chat_template_kwargs")
    if settings(f"{section}.lora_rank") and settings.whole(f"{section}.lora_rank") > 0:
        names = ("lora_rank", "lora_alpha", "target_modules")
        rank, alpha, targets = ((settings(f"{section}.{n}"), settings.origin(f"{section}.{n}")) for n in names)
        adapters(draft, rank=rank, alpha=alpha, targets=targets)


def _batch(settings: Settings, draft: Draft) -> None:
    prompts, minibatch = settings.whole("data.train_batch_size"), settings.whole(f"{ACTOR}.ppo_mini_batch_size")
    if prompts % minibatch:
        raise ConfigError(f"train_batch_size ({prompts}) is no multiple of ppo_mini_batch_size ({minibatch})")
    sizes = settings.origin("data.train_batch_size", f"{ACTOR}.ppo_mini_batch_size").replace(" x ", " / ")
    draft.set("train.prompts_per_step", prompts, settings.origin("data.train_batch_size"))
    draft.set("method.passes", settings.whole(f"{ACTOR}.ppo_epochs"), settings.origin(f"{ACTOR}.ppo_epochs"))
    draft.set("method.minibatches", prompts // minibatch, sizes)


def _data(settings: Settings, draft: Draft, answer: dict[str, str], *, prompts: bool) -> None:
    columns = dict(answer)
    for ours, key in COLUMNS.items():
        if settings(key) not in (None, ours):
            columns[ours] = settings(key)
    files = [Dataset(str(path), columns) for path in listed(settings("data.train_files") or [])]
    set_datasets(draft, "data", files, "data.train_files")
    if not files:
        draft.fill_in("data.path", "data.parquet", "the configuration names no data.train_files")
    held_out = [Dataset(str(path), columns) for path in listed(settings("data.val_files") or [])]
    set_datasets(draft, "evaluate.data", held_out, "data.val_files")
    _truncation(settings, draft, prompts=prompts)


def _truncation(settings: Settings, draft: Draft, *, prompts: bool) -> None:
    """Set what happens to rows that are too long. Prompts that are answered are cut on the left only."""
    mode = settings("data.truncation") or "error"
    if settings("data.filter_overlong_prompts"):
        draft.set("data.truncate", "drop", "data.filter_overlong_prompts")
    elif mode in ("error", "left") or (mode == "right" and not prompts):
        draft.set("data.truncate", mode, settings.origin("data.truncation"))
    else:
        draft.lose("data.truncation", mode, "data.truncate: left cuts prompts at their beginning")


def _evaluation(settings: Settings, draft: Draft) -> None:
    if not settings("data.val_files"):
        return
    every = settings("trainer.test_freq")
    if every and int(every) > 0:
        draft.set("evaluate.every", int(every), "trainer.test_freq")
    greedy = settings(f"{ROLLOUT}.val_kwargs.do_sample") is False
    for ours, name in (("samples", "n"), ("temperature", "temperature")):
        key = f"{ROLLOUT}.val_kwargs.{name}"
        if key in settings:
            value = 0 if greedy and name == "temperature" else settings(key)
            draft.set(f"evaluate.{ours}", value, settings.origin(key))


def _rewards(settings: Settings, draft: Draft) -> None:
    prefix = next((p for p in ("", "reward.") if settings(f"{p}custom_reward_function.path")), None)
    if prefix is not None:
        path = settings(f"{prefix}custom_reward_function.path")
        name = settings(f"{prefix}custom_reward_function.name") or "compute_score"
        entry = [{"path": f"{path}:{name}", "signature": "verl"}]
        if Path(str(path)).is_file():
            draft.set("rewards", entry, f"{prefix}custom_reward_function")
        else:
            draft.fill_in("rewards", [], f"{entry}; there is no such file in this folder")
    elif settings("reward_model.enable"):
        draft.set("models.reward.path", settings("reward_model.model.path"), "reward_model.model.path")
    else:
        draft.set("rewards", ["math_answer"], "verl's reward goes by the column data_source")
        draft.differ(
            "rewards: verl chooses a function by data_source; math_answer compares the final number or formula"
        )


def _rates(settings: Settings, draft: Draft) -> None:
    key = f"{ACTOR}.optim.lr"
    if draft.values["method.path"].startswith("online/ppo"):
        rates = {"policy": settings(key), "critic": settings("critic.optim.lr")}
        draft.set("train.learning_rate", rates, settings.origin(key, "critic.optim.lr").replace(" x ", " and "))
    else:
        draft.set("train.learning_rate", settings(key), settings.origin(key))
    steps, ratio = settings(f"{ACTOR}.optim.lr_warmup_steps"), settings(f"{ACTOR}.optim.lr_warmup_steps_ratio")
    if steps is not None and int(steps) > 0:
        draft.set("train.warmup", int(steps), f"{ACTOR}.optim.lr_warmup_steps")
    elif ratio:
        draft.set("train.warmup", float(ratio), f"{ACTOR}.optim.lr_warmup_steps_ratio")


def _length(settings: Settings, draft: Draft) -> None:
    if settings("trainer.total_training_steps"):
        draft.set("train.steps", settings.whole("trainer.total_training_steps"), "trainer.total_training_steps")
    else:
        draft.set("train.epochs", settings.number("trainer.total_epochs"), settings.origin("trainer.total_epochs"))
    folder = settings("trainer.default_local_dir")
    if folder and "${" not in str(folder):
        path = PurePosixPath(str(folder))
        draft.set("output", str(path.parent), "trainer.default_local_dir without its last folder")
        draft.set("name", path.name, "trainer.default_local_dir: its last folder")
