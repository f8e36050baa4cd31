"""OpenRLHF's trainers on records: DPO and IPO, reward models, supervised fine-tuning."""

from __future__ import annotations

from posttrain.convert.draft import Draft
from posttrain.convert.openrlhf_data import common
from posttrain.convert.settings import Settings

PAIRS = {"prompt": "data.prompt_key", "chosen": "data.chosen_key", "rejected": "data.rejected_key"}
DEFAULTS = {
    "train.batch_size": 128, "train.max_epochs": 1, "data.max_len": 512, "lr_warmup_ratio": 0.03, "adam.lr": 1e-5,
    "model.beta": 0.1, "ds.lora.alpha": 16, "ds.lora.target_modules": "all-linear", "data.chosen_key": "chosen",
    "data.rejected_key": "rejected",
}  # fmt: skip
SFT = DEFAULTS | {"adam.lr": 5e-6, "train.max_epochs": 2, "data.max_len": 2048, "data.input_key": "input"}


def preferences(settings: Settings, draft: Draft) -> None:
    """Set what train_dpo trains."""
    settings = settings.with_defaults(DEFAULTS)
    beta, source = settings.number("model.beta"), settings.origin("model.beta")
    if settings("model.ipo_enable"):
        draft.method("preference/ipo", "model.ipo_enable", tau=(beta, source), aggregate=("sum", "OpenRLHF's sum"))
    else:
        draft.method("preference/dpo", "train_dpo", beta=(beta, source))
        if settings("model.label_smoothing"):
            draft.set("method.smoothing", settings.number("model.label_smoothing"), "model.label_smoothing")
    if settings("model.nll_loss_coef"):
        draft.lose("model.nll_loss_coef", settings("model.nll_loss_coef"), "preference/cpo has such a term")
    _records(settings, draft, PAIRS)


def reward_model(settings: Settings, draft: Draft) -> None:
    """Set what train_rm trains."""
    draft.method("reward/bradley_terry", "train_rm")
    _records(settings.with_defaults(DEFAULTS | {"adam.lr": 9e-6}), draft, PAIRS)


def supervised(settings: Settings, draft: Draft) -> None:
    """Set what train_sft trains."""
    draft.method("imitation/sft", "train_sft")
    settings = settings.with_defaults(SFT)
    _records(settings, draft, {"prompt": "data.input_key", "completion": "data.output_key"})


def _records(settings: Settings, draft: Draft, columns: dict[str, str]) -> None:
    common(settings, draft, "", columns)
    for ours, key in (
        ("train.prompts_per_step", "train.batch_size"),
        ("train.epochs", "train.max_epochs"),
        ("train.learning_rate", "adam.lr"),
        ("train.max_length", "data.max_len"),
    ):
        draft.set(ours, settings(key), settings.origin(key))
