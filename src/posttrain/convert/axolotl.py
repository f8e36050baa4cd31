"""Axolotl: the keys of its YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.convert import transformers_arguments as base
from posttrain.convert.adapters import adapters
from posttrain.convert.converter import becomes
from posttrain.convert.datasets import Dataset, located, set_datasets
from posttrain.convert.draft import Draft
from posttrain.convert.rules import Becomes, Idle, Joined, Peer, Rule, Without, each
from posttrain.convert.settings import Settings
from posttrain.convert.trl import RULES as TRL
from posttrain.convert.trl_trainers import ASSEMBLED, DEFAULTS
from posttrain.convert.values import bfloat16, positive_or_null, schedule, tokens, warmup, whole_steps
from posttrain.errors import ConfigError

_BATCH = Joined("train.prompts_per_step", "micro_batch_size x gradient_accumulation_steps x GPUs")
_DATA = Joined("data.path", "path, data_files, split, name, and its columns; several are data.mix")
_LORA = Joined("model.lora", "with adapter: lora or qlora")
_METHOD = Joined("method", "the method and its settings")
_KERNEL = Idle("attention and kernels are posttrain's own")
_PARALLEL = Without("processes are named in backend: {path: fsdp, processes: N}", (None, False, "", [], 1))
_TRACKER = Idle("a tracker gets the name and the numbers of the run")
_EVALUATION = Joined("evaluate.every", "needs held-out data: evaluate.data")
THROUGH_TRL = """
    num_generations max_completion_length temperature top_p top_k min_p repetition_penalty reward_funcs reward_weights
    num_iterations epsilon epsilon_high loss_type scale_rewards importance_sampling_level mask_truncated_completions
    sync_ref_model ref_model_mixup_alpha ref_model_sync_steps use_vllm log_completions generation_batch_size
    steps_per_generation
"""
ADAMW = ("adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_bnb_8bit", "paged_adamw_8bit")

RULES: dict[str, Rule] = {
    # the model
    "base_model": Joined("model.path", "the policy"),
    "revision_of_model": Becomes("model.revision"),
    **each(
        "base_model_config tokenizer_config model_type tokenizer_type tokenizer_use_fast tokenizer_legacy strict "
        "is_falcon_derived_model is_llama_derived_model is_mistral_derived_model is_qwen_derived_model "
        "low_cpu_mem_usage device_map max_memory gpu_memory_limit processor_type",
        Idle("the model's folder says what it is"),
    ),
    "eot_tokens": Idle("an answer ends with the token that the chat template writes behind it"),
    "trust_remote_code": TRL["trust_remote_code"],
    "adapter": Joined("model.lora", "lora, or qlora with model.quantize: nf4"),
    **each("lora_r lora_alpha lora_dropout lora_target_modules lora_target_linear lora_modules_to_save", _LORA),
    "peft_use_rslora": _LORA,
    "peft_use_dora": Without("adapters are plain LoRA"),
    "lora_model_dir": Joined("model.path", "the adapter is merged, and a new one trained"),
    **each("lora_fan_in_fan_out lora_mlp_kernel lora_qkv_kernel lora_o_kernel", _KERNEL),
    "load_in_4bit": Joined("model.quantize", "nf4, under adapters"),
    **each("load_in_8bit gptq gptq_groupsize", Joined("model.lora", "weights of 4 bits are nf4 of model.quantize")),
    "gptq_model_v1": Idle("weights are quantised by bitsandbytes"),
    "special_tokens": Idle("the tokenizer says which tokens are special"),
    "tokens": Becomes("model.new_tokens", tokens),
    "chat_template": Joined("model.chat_template", "the tokenizer's own template, unless chat_template_jinja is set"),
    "chat_template_jinja": Joined("model.chat_template", "a file; a template in the text has to be written into one"),
    "default_system_message": Without("write the system turn into the data", (None,)),
    "unfrozen_parameters": Without("all weights are trained, or adapters", (None, [])),
    # data
    **each("datasets pretraining_dataset", _DATA),
    "test_datasets": Joined("evaluate.data", "as datasets"),
    "val_set_size": Without("write held-out records into a file of their own: evaluate.data", (None, 0, 0.0)),
    **each(
        "dataset_prepared_path dataset_processes dataset_keep_in_memory shuffle_merged_datasets dataset_shard_num "
        "dataset_shard_idx skip_prepare_dataset dataloader_pin_memory dataloader_num_workers remove_unused_columns "
        "dataloader_prefetch_factor dataloader_drop_last sample_packing_group_size sample_packing_bin_size "
        "eval_sample_packing pad_to_sequence_len multipack_real_batches debug",
        Idle("data are read and batched by posttrain; the result does not depend on it"),
    ),
    "dataset_exact_deduplication": Without("remove repeated rows from the file"),
    "sequence_len": Becomes("train.max_length"),
    "excess_length_strategy": Joined("data.truncate", "drop (the default) or truncate, which cuts off the end"),
    "max_prompt_len": Without("prompts are never cut; train.max_length bounds prompt and answer together", (None, 512)),
    "sample_packing": Joined("train.prompts_per_step", "a step counts records, not packed sequences"),
    "train_on_inputs": Without("prompts are never trained"),
    "group_by_length": Without("records are shuffled every epoch"),
    "curriculum_sampling": Becomes("data.order", lambda on: "file" if on else "shuffled"),
    # batch, length and optimiser
    **each("micro_batch_size gradient_accumulation_steps batch_size", _BATCH),
    "eval_batch_size": Idle("train.tokens_per_device bounds the memory of a forward pass"),
    "num_epochs": Joined("train.epochs", "unless max_steps is set"),
    "max_steps": Joined("train.steps", "optimiser steps"),
    "learning_rate": Becomes("train.learning_rate"),
    "lr_scheduler": Joined("train.schedule", "cosine, if it is not set"),
    "cosine_min_lr_ratio": Without("linear and cosine end at 0"),
    **each("warmup_steps warmup_ratio", Joined("train.warmup", "a number of steps, or a fraction of the run")),
    "optimizer": Without("the optimiser is AdamW", (None, *ADAMW)),
    "weight_decay": Becomes("train.weight_decay"),
    "max_grad_norm": Becomes("train.max_grad_norm", positive_or_null),
    "adam_beta1": Joined("train.betas", "the first of the two"),
    "adam_beta2": Joined("train.betas", "the second of the two"),
    "adam_epsilon": Without("AdamW's ε is 1e-8", (None, 1e-8)),
    "neftune_noise_alpha": Without("there is no noise on embeddings"),
    "seed": Becomes("seed"),
    **each("bf16 bfloat16", Becomes("model.dtype", bfloat16)),
    **each("fp16 float16 fp8", Without("there is no training in float16; model.dtype: auto takes bfloat16 or float32")),
    "tf32": Idle("the number format is model.dtype"),
    "gradient_checkpointing": Becomes("model.activation_checkpointing", bool),
    "gradient_checkpointing_kwargs": Idle("the result does not depend on it"),
    # the run
    "output_dir": Joined("output", "its last folder is the name of the run"),
    "save_steps": Becomes("train.save_every", whole_steps),
    "saves_per_epoch": Without("checkpoints are counted in steps: train.save_every"),
    "save_strategy": Without("checkpoints are counted in steps: train.save_every", (None, "steps")),
    "save_total_limit": Becomes("train.keep"),
    **each("save_only_model save_safetensors", Idle("a checkpoint holds all that a resumed run needs")),
    "logging_steps": Becomes("train.log_every", whole_steps),
    **each("eval_steps evals_per_epoch eval_strategy evaluation_strategy", _EVALUATION),
    "resume_from_checkpoint": Without("resume with `posttrain train RUN.yaml --resume`"),
    "auto_resume_from_checkpoints": Idle("resume with `posttrain train RUN.yaml --resume`"),
    "early_stopping_patience": Without("a run ends with its last step"),
    "load_best_model_at_end": Without("the final model is that of the last step"),
    **each("eval_table_size eval_max_new_tokens do_bench_eval", Idle("evaluations are those of evaluate")),
    "wandb_project": Joined("report", "{name: wandb, project: NAME}; offline unless online: true"),
    "mlflow_experiment_name": Joined("report", "{name: mlflow, project: NAME}"),
    "use_tensorboard": Joined("report", "tensorboard"),
    "mlflow_tracking_uri": Without("the environment variable MLFLOW_TRACKING_URI names a server", (None, "")),
    **each("wandb_entity wandb_watch wandb_name wandb_run_id wandb_log_model wandb_mode mlflow_run_name", _TRACKER),
    "use_comet": Without("trackers are tensorboard, trackio, wandb and mlflow"),
    **each("hub_model_id hub_strategy push_dataset_to_hub", Without("nothing is uploaded in a run; export has --push")),
    "hf_use_auth_token": Idle("the hub's own login is used"),
    **each("deepspeed fsdp sequence_parallel_degree context_parallel_size tensor_parallel_size", _PARALLEL),
    **each("fsdp_config fsdp_version ddp ddp_find_unused_parameters ddp_timeout", Idle("backend names the processes")),
    **each("local_rank world_size ddp_bucket_cap_mb", Idle("processes are named in backend")),
    **each(
        "flash_attention sdp_attention xformers_attention flex_attention eager_attention s2_attention torch_compile "
        "flash_attn_cross_entropy flash_attn_rms_norm plugins liger_rope liger_rms_norm liger_glu_activation "
        "liger_layer_norm liger_fused_linear_cross_entropy cut_cross_entropy torch_compile_backend "
        "attn_implementation use_kernels activation_offloading experts_implementation use_scattermoe "
        "flex_attn_compile_kwargs flash_attn_fuse_mlp "
        "loss_watchdog_threshold loss_watchdog_patience gc_steps unsloth_cross_entropy_loss vllm.",
        _KERNEL,
    ),
    # methods
    "rl": Joined("method.path", "dpo, ipo, kto, orpo, simpo or grpo; none is supervised fine-tuning"),
    "reward_model": Joined("method.path", "reward/bradley_terry"),
    "process_reward_model": Without("reward/bradley_terry scores whole answers"),
    **each("rl_beta trl.beta kto_desirable_weight kto_undesirable_weight simpo_gamma orpo_alpha", _METHOD),
    "dpo_use_weighting": _METHOD,
    "cpo_alpha": Joined("method", "preference/simpo has no NLL term"),
    "rpo_alpha": Without("preference/dpo has no NLL term; preference/cpo has one, without a reference"),
    **{f"trl.{key}": TRL[key] for key in THROUGH_TRL.split()},
    "trl.": Idle("answers are sampled by posttrain's own engine"),
}  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "model_name_or_path": ("base_model",),
    "per_device_train_batch_size": ("micro_batch_size",),
    "num_train_epochs": ("num_epochs",),
    "max_length": ("sequence_len",),
    "lr_scheduler_type": ("lr_scheduler",),
    "packing": ("sample_packing",),
    "beta": ("rl_beta", "trl.beta", "orpo_alpha"),
    "desirable_weight": ("kto_desirable_weight",),
    "undesirable_weight": ("kto_undesirable_weight",),
    "use_weighting": ("dpo_use_weighting",),
    **{key.removeprefix("trl."): (key,) for key in RULES if key.startswith("trl.") and key not in ("trl.", "trl.beta")},
    **{
        key: (key,)
        for key in [
            "gradient_accumulation_steps",
            "max_steps",
            "output_dir",
            "adam_beta1",
            "adam_beta2",
            "simpo_gamma",
            "cpo_alpha",
            "eval_steps",
            "eval_strategy",
            "logging_steps",
        ]
    },
}
TRAINERS = {"dpo": "dpo", "ipo": "dpo", "kto": "kto", "orpo": "orpo", "simpo": "cpo", "grpo": "grpo"}


def assemble(settings: Settings, draft: Draft) -> None:
    """Join the keys that belong together, through TRL's trainers, which Axolotl starts."""
    trainer = trainer_of(settings)
    own = {"num_train_epochs": 1.0, "max_length": 512, "lr_scheduler_type": "cosine", "learning_rate": None}
    loss = {"ipo": "ipo", "simpo": "simpo"}.get(str(settings("rl")))
    inner = settings.renamed(NAMES, {**DEFAULTS[trainer], **own, **({"loss_type": loss} if loss else {})})
    inner.given["assistant_only_loss"] = True  # as Axolotl's roles_to_train
    if settings("batch_size") and not settings("micro_batch_size"):
        inner.given["per_device_train_batch_size"] = settings.whole("batch_size") // settings.gpus
        inner.given["gradient_accumulation_steps"] = 1
    _model(settings, draft)
    _data(settings, draft)
    _trackers(settings, draft)
    ASSEMBLED[trainer](inner, draft)
    base.joined(inner, draft)
    name = inner("lr_scheduler_type")
    becomes(draft, Becomes("train.schedule", schedule), "lr_scheduler", name, inner.origin("lr_scheduler_type"))
    _warmup(settings, draft)
    if trainer != "grpo":
        draft.set("train.max_length", inner.whole("max_length"), inner.origin("max_length"))
        cut = settings("excess_length_strategy") == "truncate"
        draft.set("data.truncate", "right" if cut else "drop", settings.origin("excess_length_strategy"))


def trainer_of(settings: Settings) -> str:
    """Return TRL's trainer. Raises ConfigError for one without a counterpart."""
    if settings("reward_model"):
        return "reward"
    name = settings("rl")
    if not name:
        return "sft"
    if name not in TRAINERS:
        raise ConfigError(f"rl: {name} has no counterpart; known: {', '.join(TRAINERS)}")
    return TRAINERS[str(name)]


def _model(settings: Settings, draft: Draft) -> None:
    key = "lora_model_dir" if settings("lora_model_dir") else "base_model"
    if settings(key):
        draft.set("model.path", settings(key), key)
    else:
        draft.fill_in("model.path", "MODEL", "the configuration names no base_model")
    if settings("adapter") in ("lora", "qlora"):
        everywhere = settings("lora_target_linear") or settings("lora_target_modules") is None
        targets = ("all-linear" if everywhere else settings("lora_target_modules"), "lora_target_modules")
        adapters(
            draft,
            rank=(settings("lora_r") or 8, "lora_r"),
            alpha=(settings("lora_alpha") or 16, "lora_alpha"),
            targets=targets,
            dropout=(settings("lora_dropout"), "lora_dropout"),
            rslora=(settings("peft_use_rslora"), "peft_use_rslora"),
            in_full=(settings("lora_modules_to_save"), "lora_modules_to_save"),
        )
    elif settings("adapter"):
        draft.lose("adapter", settings("adapter"), "adapters are LoRA")
    if settings("adapter") == "qlora" or (settings("adapter") == "lora" and settings("load_in_4bit")):
        draft.set("model.quantize", "nf4", "load_in_4bit")
    elif settings("load_in_4bit") or settings("load_in_8bit"):
        draft.differ("quantised weights: the frozen weights stay in model.dtype, which takes more memory")
    template = settings("chat_template_jinja")
    if template and "\n" not in str(template) and "{" not in str(template):
        draft.set("model.chat_template", template, "chat_template_jinja")
    elif template:
        draft.lose("chat_template_jinja", template, "write the template into a file: model.chat_template")
    elif settings("chat_template") not in (None, "tokenizer_default"):
        draft.differ("chat_template: the tokenizer's own template is used; `posttrain data show FILE` prints its rows")


def _data(settings: Settings, draft: Draft) -> None:
    """Set the datasets with their columns, and the held-out ones."""
    for ours, key in (("data", "datasets"), ("data", "pretraining_dataset"), ("evaluate.data", "test_datasets")):
        entries = [e for e in settings(key) or [] if isinstance(e, Mapping)]
        set_datasets(draft, ours, [Dataset(_path(e), _columns(e)) for e in entries], key)
        if any(str(e.get("type", "")).startswith("alpaca") for e in entries):
            draft.differ(
                "datasets: type alpaca writes its own words around an instruction; here the chat template does"
            )


def _path(entry: Mapping[str, Any]) -> str:
    files = entry.get("data_files")
    if files:
        return str(files[0] if isinstance(files, list) else files)
    return located(str(entry.get("path")), entry.get("name"), entry.get("split"))


def _columns(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that an entry renames: ours -> those of the file."""
    inner = entry["type"] if isinstance(entry.get("type"), Mapping) else entry
    fields = {
        "messages": "field_messages",
        "instruction": "field_instruction",
        "input": "field_input",
        "output": "field_output",
        "system": "field_system",
        "chosen": "field_chosen",
        "rejected": "field_rejected",
        "tools": "field_tools",
        "text": "field",
    }
    return {ours: str(inner[key]) for ours, key in fields.items() if inner.get(key) not in (None, ours)}


def _trackers(settings: Settings, draft: Draft) -> None:
    named = {"wandb": settings("wandb_project"), "mlflow": settings("mlflow_experiment_name")}
    report: list[Any] = [{"name": name, "project": str(project)} for name, project in named.items() if project]
    report += ["tensorboard"] * bool(settings("use_tensorboard"))
    if report:
        draft.set("report", report, "wandb_project, mlflow_experiment_name, use_tensorboard")


def _warmup(settings: Settings, draft: Draft) -> None:
    key = next((k for k in ("warmup_steps", "warmup_ratio") if settings(k) is not None), None)
    if key:
        draft.set("train.warmup", warmup(settings(key)), key)
    else:
        draft.set("train.warmup", 0.03, "Axolotl's default of warmup_steps, which is 100 at most")


PEER = Peer("Axolotl", RULES, assemble, flattened=("trl", "vllm"))
