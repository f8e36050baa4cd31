"""TRL's trainers as methods, with the defaults of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from posttrain.convert import transformers_arguments as base
from posttrain.convert.draft import Draft
from posttrain.convert.group_rewards import grpo, rloo
from posttrain.convert.preferences import cpo, dpo, kto, orpo
from posttrain.convert.settings import Settings
from posttrain.convert.trl_data import records, rewards

_ADAPTERS = {"lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.05}
_COMMON = {**base.DEFAULTS, **_ADAPTERS, "max_length": 1024, "eval_strategy": "no"}
_ONLINE = {**_COMMON, "learning_rate": 1e-6, "max_length": None, "max_completion_length": 512, "temperature": 1.0}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "sft": {**_COMMON, "learning_rate": 2e-5, "dataset_text_field": "text"},
    "dpo": {
        **_COMMON,
        "learning_rate": 1e-6,
        "beta": 0.1,
        "loss_type": ["sigmoid"],
        "label_smoothing": 0.0,
        "discopop_tau": 0.05,
        "f_divergence_type": "reverse_kl",
        "f_alpha_divergence_coef": 0.5,
    },
    "kto": {
        **_COMMON,
        "learning_rate": 1e-6,
        "beta": 0.1,
        "loss_type": "kto",
        "desirable_weight": 1.0,
        "undesirable_weight": 1.0,
        "train_sampling_strategy": "sequential",
    },
    "reward": {**_COMMON, "learning_rate": 1e-4},
    "grpo": {
        **_ONLINE,
        "num_generations": 8,
        "beta": 0.0,
        "num_iterations": 1,
        "epsilon": 0.2,
        "loss_type": "dapo",
        "scale_rewards": "group",
        "importance_sampling_level": "token",
        "sapo_temperature_pos": 1.0,
        "sapo_temperature_neg": 1.05,
        "vespo_k_pos": 2.0,
        "vespo_k_neg": 3.0,
        "vespo_lambda_pos": 3.0,
        "vespo_lambda_neg": 2.0,
        "entropy_coef": 0.0,
        "entropy_coef_max": 1.0,
        "entropy_coef_delta": 0.005,
        "entropy_target": 0.2,
    },
    "rloo": {**_ONLINE, "num_generations": 2, "beta": 0.05, "num_iterations": 1},
    "orpo": {**_COMMON, "learning_rate": 1e-6, "beta": 0.1},
    "cpo": {
        **_COMMON,
        "learning_rate": 1e-6,
        "beta": 0.1,
        "loss_type": "sigmoid",
        "cpo_alpha": 1.0,
        "simpo_gamma": 0.5,
        "label_smoothing": 0.0,
    },
    "online_dpo": {
        **_ONLINE,
        "learning_rate": 5e-7,
        "beta": 0.1,
        "max_completion_length": None,
        "max_new_tokens": 64,
        "max_length": 512,
        "temperature": 0.9,
    },
    "ppo": {
        **_ONLINE,
        "learning_rate": 3e-6,
        "kl_coef": 0.05,
        "cliprange": 0.2,
        "cliprange_value": 0.2,
        "vf_coef": 0.1,
        "gamma": 1.0,
        "lam": 0.95,
        "num_ppo_epochs": 4,
        "num_mini_batches": 1,
        "temperature": 0.7,
        "max_completion_length": None,
        "response_length": 53,
    },
}


def _offline(settings: Settings, draft: Draft, kind: str) -> None:
    """Set the batch, the length and the records of a method that samples nothing."""
    origin = settings.origin("per_device_train_batch_size", "gradient_accumulation_steps")
    draft.set("train.prompts_per_step", base.records_per_step(settings, draft), base.with_processes(origin, settings))
    base.length(settings, draft)
    records(settings, draft, kind)


def _sft(settings: Settings, draft: Draft) -> None:
    draft.method("imitation/sft", "the trainer sft")
    if settings("loss_type") not in (None, "nll", "chunked_nll"):
        draft.lose("loss_type", settings("loss_type"), "imitation/sft is the cross-entropy")
    if not settings("assistant_only_loss"):
        draft.differ(
            "assistant_only_loss: TRL trains every token of `messages` by default; here only the assistant's turns are"
        )
    if settings("completion_only_loss") is False:
        draft.lose("completion_only_loss", False, "prompts are never trained; `text` columns are trained whole")
    if settings("packing"):
        draft.differ("packing: a step counts records, not packed blocks; raise train.prompts_per_step accordingly")
    _offline(settings, draft, "demonstrations")
    if settings("dataset_text_field") not in (None, "text"):
        draft.set("data.columns", {"text": settings("dataset_text_field")}, "dataset_text_field")


def _reward(settings: Settings, draft: Draft) -> None:
    draft.method("reward/bradley_terry", "the trainer reward")
    _offline(settings, draft, "pairs")


def _preference(method: Callable[[Settings, Draft], None], kind: str) -> Callable[[Settings, Draft], None]:
    def assembled(settings: Settings, draft: Draft) -> None:
        method(settings, draft)
        _offline(settings, draft, kind)

    return assembled


def _online(method: Callable[[Settings, Draft], None]) -> Callable[[Settings, Draft], None]:
    def assembled(settings: Settings, draft: Draft) -> None:
        method(settings, draft)
        if settings("shuffle_dataset") is False:
            draft.set("data.order", "file", "shuffle_dataset")
        records(settings, draft, "prompts")
        rewards(settings, draft)

    return assembled


def _online_dpo(settings: Settings, draft: Draft) -> None:
    beta = settings("beta")
    first = beta[0] if isinstance(beta, list) else beta
    draft.method("online/online_dpo", "the trainer online_dpo", logistic__beta=(first, settings.origin("beta")))
    origin = settings.origin("per_device_train_batch_size", "gradient_accumulation_steps")
    draft.set("train.prompts_per_step", base.records_per_step(settings, draft), origin)
    base.length(settings, draft)


def _ppo(settings: Settings, draft: Draft) -> None:
    keys = {
        "reward_minus_fixed_kl__kl_weight": "kl_coef",
        "clipped_surrogate__low": "cliprange",
        "clipped_surrogate__high": "cliprange",
        "clipped_value__clip": "cliprange_value",
        "value__weight": "vf_coef",
        "gae__gamma": "gamma",
        "gae__lam": "lam",
        "passes": "num_ppo_epochs",
        "minibatches": "num_mini_batches",
    }
    draft.method(
        "online/ppo", "the trainer ppo", **{ours: (settings(k), settings.origin(k)) for ours, k in keys.items()}
    )
    answers = base.records_per_step(settings, draft) * settings.whole("num_mini_batches")
    origin = settings.origin("per_device_train_batch_size", "gradient_accumulation_steps", "num_mini_batches")
    draft.set("train.prompts_per_step", answers, base.with_processes(origin, settings))
    if settings("total_episodes"):
        draft.set(
            "train.steps", max(1, settings.whole("total_episodes") // answers), "total_episodes / answers of a step"
        )
    else:
        base.length(settings, draft)


ASSEMBLED: Mapping[str, Callable[[Settings, Draft], None]] = {
    "sft": _sft,
    "dpo": _preference(dpo, "pairs"),
    "kto": _preference(kto, "ratings"),
    "reward": _reward,
    "grpo": _online(grpo),
    "rloo": _online(rloo),
    "orpo": _preference(orpo, "pairs"),
    "cpo": _preference(cpo, "pairs"),
    "online_dpo": _online(_online_dpo),
    "ppo": _online(_ppo),
}
