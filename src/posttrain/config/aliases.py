"""Settings of other trainers: what they are called here, or what to do instead."""

from __future__ import annotations

ALIASES = {
    "model_name_or_path": "model.path",
    "dataset_name": "data.path",
    "max_steps": "train.steps",
    "num_train_epochs": "train.epochs",
    "learning_rate": "train.learning_rate",
    "num_generations": "sampling.samples",
    "max_completion_length": "sampling.max_tokens",
    "output_dir": "output",
    "save_steps": "train.save_every",
    "save_total_limit": "train.keep",
}

_BATCH = "set train.prompts_per_step; train.tokens_per_device cuts it into pieces that fit"
REMEDIES = {
    "per_device_train_batch_size": _BATCH,
    "gradient_accumulation_steps": _BATCH,
    "beta": "settings of the method are written method.beta",
    "bf16": "set model.dtype to bfloat16",
    "use_peft": "set model.lora, e.g. model.lora.rank=16",
    "resume_from_checkpoint": "run `posttrain train RUN.yaml --resume`",
    "report_to": "metrics are always written to metrics.jsonl in the folder of the run",
}
