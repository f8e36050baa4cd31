"""Settings of other trainers (TRL, Axolotl, LLaMA-Factory, verl, Unsloth): their name here, or what to do instead."""

from __future__ import annotations

from collections.abc import Sequence

# Names that mean the same. One with a dot is the end of a nested name: `model: {lora: {r: 8}}`, `lora: {r: 8}`.
ALIASES = {
    # models
    "model_name_or_path": "model.path",
    "pretrained_model_name_or_path": "model.path",
    "model_name": "model.path",
    "model_id": "model.path",
    "base_model": "model.path",
    "model_revision": "model.revision",
    "dtype": "model.dtype",
    "torch_dtype": "model.dtype",
    "gradient_checkpointing": "model.activation_checkpointing",
    "enable_gradient_checkpointing": "model.activation_checkpointing",
    "lora": "model.lora",
    "ia3": "model.ia3",
    "lora.r": "model.lora.rank",
    "lora.lora_r": "model.lora.rank",
    "lora.lora_alpha": "model.lora.alpha",
    "lora.target_modules": "model.lora.targets",
    "lora_r": "model.lora.rank",
    "lora_rank": "model.lora.rank",
    "lora_alpha": "model.lora.alpha",
    "lora_target": "model.lora.targets",
    "lora_target_modules": "model.lora.targets",
    "target_modules": "model.lora.targets",
    "lora.lora_modules_to_save": "model.lora.modules_to_save",
    "lora_modules_to_save": "model.lora.modules_to_save",
    "modules_to_save": "model.lora.modules_to_save",
    "lora.use_rslora": "model.lora.rslora",
    "use_rslora": "model.lora.rslora",
    "adapter_name_or_path": "model.path",
    "resize_vocab": "model.resize",
    "ref_model": "models.reference",
    "reward_model": "models.reward",
    "reward_model_path": "models.reward",
    # data and rewards
    "dataset_name": "data.path",
    "dataset_path": "data.path",
    "dataset": "data.path",
    "train_file": "data.path",
    "max_samples": "data.size",
    "max_train_samples": "data.size",
    "eval_dataset": "evaluate.data",
    "reward_funcs": "rewards",
    "reward_functions": "rewards",
    # length, rates and batches of the training
    "max_steps": "train.steps",
    "num_train_epochs": "train.epochs",
    "num_epochs": "train.epochs",
    "total_epochs": "train.epochs",
    "learning_rate": "train.learning_rate",
    "lr": "train.learning_rate",
    "lr_scheduler_type": "train.schedule",
    "lr_scheduler": "train.schedule",
    "warmup_steps": "train.warmup",
    "warmup_ratio": "train.warmup",
    "weight_decay": "train.weight_decay",
    "max_grad_norm": "train.max_grad_norm",
    "gradient_clipping": "train.max_grad_norm",
    "batch_size": "train.prompts_per_step",
    "train_batch_size": "train.prompts_per_step",
    "global_batch_size": "train.prompts_per_step",
    "ppo_max_token_len_per_gpu": "train.tokens_per_device",
    "max_length": "train.max_length",
    "max_seq_length": "train.max_length",
    "max_seq_len": "train.max_length",
    "sequence_len": "train.max_length",
    "cutoff_len": "train.max_length",
    # sampling
    "num_generations": "sampling.samples",
    "group_size": "sampling.samples",
    "max_completion_length": "sampling.max_tokens",
    "max_response_length": "sampling.max_tokens",
    "response_length": "sampling.max_tokens",
    "max_new_tokens": "sampling.max_tokens",
    "max_tokens": "sampling.max_tokens",
    "temperature": "sampling.temperature",
    "top_p": "sampling.top_p",
    "top_k": "sampling.top_k",
    # what is written and measured
    "report_to": "report",
    "output_dir": "output",
    "run_name": "name",
    "experiment_name": "name",
    "save_steps": "train.save_every",
    "save_freq": "train.save_every",
    "save_total_limit": "train.keep",
    "logging_steps": "train.log_every",
    "eval_steps": "evaluate.every",
    "streaming": "data.stream",
    "dataset_streaming": "data.stream",
    "shuffle_buffer_size": "data.window",
    "test_freq": "evaluate.every",
}

_BATCH = "set train.prompts_per_step; train.tokens_per_device cuts it into pieces that fit"
_EVALUATION = "set evaluate.data, and evaluate.every for the steps between two evaluations"
_ENGINE = "posttrain samples with an engine of its own on the trainer's weights; remove it"
_SHARDING = "a run uses one process and one device, so there is nothing to shard; remove it"
_VERL = "the run file has other sections than verl's; see `posttrain keys`"
REMEDIES = {
    "per_device_train_batch_size": _BATCH,
    "micro_batch_size": _BATCH,
    "ppo_mini_batch_size": "set method.minibatches, the number of optimiser steps that a batch is split into",
    "mini_batch_size": "set method.minibatches, the number of optimiser steps that a batch is split into",
    "num_iterations": "set method.passes, the number of passes over a batch",
    "gradient_accumulation_steps": _BATCH,
    "auto_find_batch_size": _BATCH,
    "per_device_eval_batch_size": "evaluation is batched by sampling.slots and train.tokens_per_device; remove it",
    "eval_batch_size": "evaluation is batched by sampling.slots and train.tokens_per_device; remove it",
    "eval_strategy": _EVALUATION,
    "evaluation_strategy": _EVALUATION,
    "do_eval": _EVALUATION,
    "val_size": "write the held-out records to a file of their own and set evaluate.data to it",
    "save_strategy": "set train.save_every, the number of steps between checkpoints",
    "logging_strategy": "set train.log_every, the number of steps between lines of metrics.jsonl",
    "beta": "settings of the method are written method.beta",
    "loss_type": "each loss is a method of its own: set method to one that `posttrain methods` lists",
    "optim": "AdamW is the optimiser; train.learning_rate, train.betas and train.weight_decay set it",
    "optimizer": "AdamW is the optimiser; train.learning_rate, train.betas and train.weight_decay set it",
    "adam_beta1": "set train.betas, e.g. train.betas=[0.9,0.95]",
    "adam_beta2": "set train.betas, e.g. train.betas=[0.9,0.95]",
    "adam_epsilon": "AdamW's epsilon is fixed at 1e-8; remove it",
    "bf16": "set model.dtype to bfloat16",
    "fp16": "float16 is not trained in; set model.dtype to bfloat16 or float32",
    "tf32": "set model.dtype; remove it",
    "use_peft": "set model.lora, e.g. model.lora.rank=16",
    "adapter": "set model.lora, e.g. model.lora.rank=16",
    "finetuning_type": "set model.lora for adapters, e.g. model.lora.rank=16; without it all weights are trained",
    "lora_dropout": "adapters have no dropout; remove it",
    "load_in_4bit": "set model.quantize to nf4, beside model.lora",
    "load_in_8bit": "weights of 8 bits are not trained on; set model.quantize to nf4, beside model.lora",
    "use_vllm": _ENGINE,
    "vllm_mode": _ENGINE,
    "vllm_gpu_memory_utilization": "set sampling.slots, the number of sequences sampled at once",
    "gpu_memory_utilization": "set sampling.slots, the number of sequences sampled at once",
    "attn_implementation": "the attention is chosen by the hardware; remove it",
    "flash_attention": "the attention is chosen by the hardware; remove it",
    "flash_attn": "the attention is chosen by the hardware; remove it",
    "torch_compile": "kernels are chosen by the hardware; remove it",
    "use_liger_kernel": "log-probs are always computed without holding all logits; remove it",
    "packing": "rows always lie end to end without padding and never see each other; remove it",
    "sample_packing": "rows always lie end to end without padding and never see each other; remove it",
    "padding_free": "rows always lie end to end without padding; remove it",
    "pad_to_sequence_len": "rows always lie end to end without padding; remove it",
    "group_by_length": "rows always lie end to end without padding; remove it",
    "max_prompt_length": "set train.max_length, the limit of prompt and answer together",
    "remove_unused_columns": "columns that nothing reads are left alone; remove it",
    "early_stopping": "set evaluate.best to a metric and evaluate.patience to a number of evaluations",
    "early_stopping_patience": "set evaluate.best to a metric and evaluate.patience to a number of evaluations",
    "load_best_model_at_end": "set evaluate.best to a metric: the final model is then the best one",
    "resume_from_checkpoint": "run `posttrain train RUN.yaml --resume`",
    "deepspeed": _SHARDING,
    "fsdp": _SHARDING,
    "fsdp_config": _SHARDING,
    "tensor_parallel_size": _SHARDING,
    "push_to_hub": "run `posttrain export RUN --push owner/name` when the run is finished",
    "dataloader_num_workers": "data are read once at the start; scoring.workers is the number of reward processes",
    "wandb_project": "set report, e.g. report=[{name: wandb, project: NAME}]",
    "project_name": "set report, e.g. report=[{name: wandb, project: NAME}]",
    "trainer": _VERL,
    "algorithm": _VERL,
    "actor_rollout_ref": _VERL,
}


def alias(keys: Sequence[str]) -> tuple[str, ...] | None:
    """Return the key that a name of another trainer stands for: `train.lr` and `lr` are `train.learning_rate`.

    A name inside a section stands for keys of that section only. Entries of `models` have the names of `model`.
    """
    if keys[0] == "models" and len(keys) > 2:
        inside = alias(("model", *keys[2:]))
        return (*keys[:2], *inside[1:]) if inside and inside[0] == "model" else None
    for start in range(len(keys)):
        target = ALIASES.get(".".join(keys[start:]), "")
        same_section = target.startswith(".".join((*keys[:start], "")))
        if target and same_section and target != ".".join(keys):
            return tuple(target.split("."))
    return None
