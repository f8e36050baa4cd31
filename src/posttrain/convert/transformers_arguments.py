"""Rules for the arguments of transformers' Trainer, which TRL and LLaMA-Factory inherit."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from posttrain.convert.datasets import has_data
from posttrain.convert.draft import Draft
from posttrain.convert.rules import Becomes, Idle, Joined, Rule, Without, each
from posttrain.convert.settings import Settings
from posttrain.convert.values import bfloat16, cpu, order, positive_or_null, schedule, trackers, warmup, whole_steps
from posttrain.errors import ConfigError

_BATCH = Joined(
    "train.prompts_per_step",
    "records per optimiser step: per_device_train_batch_size x gradient_accumulation_steps x processes",
)
_ONE_PROCESS = Without("processes are named in backend: {path: fsdp, processes: N}")
_EVALUATION = Joined("evaluate.every", "needs held-out data: evaluate.data")
_LOADING = "data are read and batched by posttrain; the result does not depend on it"
_DISPLAY = "the display and the log of a run have no such switch"
_HUB = Without("nothing is uploaded during a run; `posttrain export` has --push")

RULES: dict[str, Rule] = {
    "learning_rate": Becomes("train.learning_rate"),
    "lr_scheduler_type": Becomes("train.schedule", schedule),
    "lr_scheduler_kwargs": Without("schedules have no further settings", (None, {})),
    "warmup_steps": Becomes("train.warmup", warmup),
    "warmup_ratio": Becomes("train.warmup", float),
    "weight_decay": Becomes("train.weight_decay"),
    "adam_beta1": Joined("train.betas", "the first of the two"),
    "adam_beta2": Joined("train.betas", "the second of the two"),
    "adam_epsilon": Without("AdamW's ε is 1e-8", (None, 1e-8)),
    "max_grad_norm": Becomes("train.max_grad_norm", positive_or_null),
    "optim": Without("the optimiser is AdamW", (None, "adamw_torch", "adamw_torch_fused", "adamw_hf")),
    "optim_args": Without("the optimiser has no further settings"),
    "optim_target_modules": Without("the optimiser is AdamW for all trained weights"),
    "num_train_epochs": Joined("train.epochs", "unless max_steps is set"),
    "max_steps": Joined("train.steps", "a step of GRPO and RLOO here is a whole batch of answers, with all its passes"),
    "per_device_train_batch_size": _BATCH,
    "gradient_accumulation_steps": _BATCH,
    "auto_find_batch_size": Idle("train.tokens_per_device bounds the memory of a forward pass"),
    "seed": Becomes("seed"),
    "data_seed": Without("all random choices derive from seed", (None,)),
    "full_determinism": Idle("runs are deterministic"),
    "output_dir": Joined("output", "its last folder is the name of the run"),
    "overwrite_output_dir": Without("a run never overwrites another one; choose a new name"),
    "run_name": Idle("the run is called after the last folder of output_dir"),
    "save_steps": Becomes("train.save_every", whole_steps),
    "save_strategy": Without("checkpoints are counted in steps: train.save_every", (None, "steps")),
    "save_total_limit": Becomes("train.keep"),
    "save_only_model": Without("a checkpoint holds all that a resumed run needs"),
    "save_safetensors": Idle("weights are always saved as safetensors"),
    "resume_from_checkpoint": Without("resume with `posttrain train RUN.yaml --resume`"),
    "ignore_data_skip": Without("a resumed run continues at the record at which it stopped"),
    "logging_steps": Becomes("train.log_every", whole_steps),
    "logging_strategy": Without("metrics are counted in steps: train.log_every", (None, "steps")),
    "report_to": Becomes("report", trackers, "nothing leaves the machine: W&B stays offline unless online: true"),
    "eval_strategy": _EVALUATION,
    "evaluation_strategy": _EVALUATION,
    "eval_steps": _EVALUATION,
    "do_eval": _EVALUATION,
    "per_device_eval_batch_size": Idle("train.tokens_per_device bounds the memory of a forward pass"),
    "eval_on_start": Idle("a run is evaluated before and after training"),
    "eval_accumulation_steps": Idle("train.tokens_per_device bounds the memory of a forward pass"),
    "eval_delay": Without("evaluations begin before the first step", (None, 0)),
    "load_best_model_at_end": Without("the final model is that of the last step"),
    "metric_for_best_model": Without("the final model is that of the last step"),
    "greater_is_better": Without("the final model is that of the last step", (None,)),
    "bf16": Becomes("model.dtype", bfloat16),
    "fp16": Without("there is no training in float16; model.dtype: auto takes bfloat16 or float32"),
    "tf32": Idle("the number format is model.dtype"),
    "bf16_full_eval": Idle("the number format is model.dtype"),
    "fp16_full_eval": Idle("the number format is model.dtype"),
    "gradient_checkpointing": Becomes("model.activation_checkpointing", bool),
    "activation_checkpointing": Becomes("model.activation_checkpointing", bool),
    "gradient_checkpointing_kwargs": Idle("the result does not depend on it"),
    "activation_checkpointing_kwargs": Idle("the result does not depend on it"),
    "use_cpu": Becomes("device", cpu),
    "label_smoothing_factor": Without("the cross-entropy has no smoothing", (None, 0, 0.0)),
    "neftune_noise_alpha": Without("there is no noise on embeddings"),
    "average_tokens_across_devices": Idle("losses are divided by one count over the whole optimiser step"),
    "push_to_hub": _HUB,
    "deepspeed": _ONE_PROCESS,
    "fsdp": Without("processes are named in backend: {path: fsdp, processes: N}", (None, False, "", [])),
    "parallelism_config": _ONE_PROCESS,
    "local_rank": Idle("processes are named in backend"),
    "train_sampling_strategy": Becomes("data.order", order),
    "group_by_length": Without("records are shuffled every epoch"),
    "torch_compile": Idle("kernels are posttrain's own"),
    "use_liger_kernel": Idle("log-probs pass over the vocabulary in tiles"),
    "do_train": Idle("a run trains"),
    "do_predict": Without("`posttrain eval` and `posttrain sample` use a model"),
    **each(
        "hub_always_push hub_model_id hub_private_repo hub_revision hub_strategy hub_token",
        _HUB,
    ),
    **each(
        "fsdp_config accelerator_config ddp_backend ddp_broadcast_buffers ddp_bucket_cap_mb "
        "ddp_find_unused_parameters ddp_static_graph ddp_timeout",
        Idle("processes are named in backend: {path: fsdp, processes: N}"),
    ),
    **each(
        "dataloader_drop_last dataloader_in_order dataloader_multiprocessing_context "
        "dataloader_num_workers dataloader_persistent_workers dataloader_pin_memory "
        "dataloader_prefetch_factor length_column_name remove_unused_columns label_names",
        Idle(_LOADING),
    ),
    **each(
        "disable_tqdm include_for_metrics include_num_input_tokens_seen log_level log_level_replica "
        "log_on_each_node logging_first_step logging_nan_inf_filter prediction_loss_only project "
        "skip_memory_metrics debug save_on_each_node trackio_bucket_id trackio_space_id "
        "trackio_static_space_id batch_eval_metrics eval_do_concat_batches eval_use_gather_object "
        "logging_dir",
        Idle(_DISPLAY),
    ),
    **each(
        "torch_compile_backend torch_compile_mode torch_empty_cache_steps liger_kernel_config "
        "use_cache enable_jit_checkpoint restore_callback_states_from_checkpoint",
        Idle("the result does not depend on it"),
    ),
}
FORMER = frozenset(
    {
        "warmup_ratio",
        "evaluation_strategy",
        "overwrite_output_dir",
        "save_safetensors",
        "group_by_length",
        "logging_dir",
    }
)
# What transformers takes where nothing is written, as far as it changes what is learned.
DEFAULTS: dict[str, Any] = {
    "learning_rate": 5e-5,
    "lr_scheduler_type": "linear",
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "seed": 42,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
}
SIMPLE = ("learning_rate", "lr_scheduler_type", "seed")  # rules whose default is always written


def joined(settings: Settings, draft: Draft) -> None:
    """Set what several arguments say together, but for the batch and the length of the run."""
    if "output_dir" in settings:
        folder = PurePosixPath(str(settings("output_dir")))
        draft.set("output", str(folder.parent), "output_dir without its last folder")
        if folder.name:
            draft.set("name", folder.name, "output_dir: its last folder")
    if "adam_beta1" in settings or "adam_beta2" in settings:
        betas = [settings.number("adam_beta1"), settings.number("adam_beta2")]
        draft.set("train.betas", betas, settings.origin("adam_beta1", "adam_beta2"))
    evaluation(settings, draft)


def evaluation(settings: Settings, draft: Draft) -> None:
    """Set the steps between evaluations, for a draft that has held-out data."""
    asked = settings("eval_strategy") or settings("evaluation_strategy") or ("steps" if settings("do_eval") else "no")
    if asked in ("no", False):
        return
    if not has_data(draft, "evaluate.data"):
        draft.differ("eval_strategy: an evaluation needs held-out data here: evaluate.data")
        return
    if asked == "steps":
        every = settings("eval_steps") or settings("logging_steps") or 500
        draft.set("evaluate.every", whole_steps(every), "eval_steps")
    else:
        draft.differ(f"eval_strategy: {asked}: evaluations are counted in steps here, evaluate.every")


def records_per_step(settings: Settings, draft: Draft) -> int:
    """Return the records of one optimiser step: per device x accumulation x processes."""
    per_device = settings.whole("per_device_train_batch_size")
    accumulation = settings.whole("gradient_accumulation_steps")
    if settings.gpus == 1:
        draft.differ("batch size: for 1 process; --gpus N multiplies it, as N processes did")
    total = per_device * accumulation * settings.gpus
    if total < 1:
        raise ConfigError(f"the batch size is {total}; expected at least 1")
    return total


def with_processes(origin: str, settings: Settings) -> str:
    """Return the origin of a number that the processes multiply."""
    return f"{origin} x {settings.gpus} processes" if settings.gpus > 1 else origin


def length(settings: Settings, draft: Draft, optimiser_steps: int = 1) -> None:
    """Set the length of the run. `optimiser_steps` are those of one of our steps."""
    steps = settings("max_steps")
    if steps is not None and settings.whole("max_steps") > 0:
        ours = max(1, settings.whole("max_steps") // optimiser_steps)
        note = f", {optimiser_steps} optimiser steps in each step here" if optimiser_steps > 1 else ""
        draft.set("train.steps", ours, f"max_steps{note}")
    else:
        draft.set("train.epochs", settings.number("num_train_epochs"), settings.origin("num_train_epochs"))
