"""LLaMA-Factory: the keys of its YAML files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posttrain.convert import transformers_arguments as base
from posttrain.convert.adapters import adapters
from posttrain.convert.converter import fill
from posttrain.convert.datasets import Dataset, located, set_datasets
from posttrain.convert.draft import Draft
from posttrain.convert.rules import Becomes, Idle, Joined, Peer, Rule, Without, each
from posttrain.convert.settings import Settings
from posttrain.convert.trl import RULES as TRL
from posttrain.convert.trl_trainers import ASSEMBLED, DEFAULTS
from posttrain.convert.values import listed
from posttrain.errors import ConfigError

_LORA = Joined("model.lora", "with finetuning_type: lora, which is the default")
_METHOD = Joined("method", "the method and its settings")
_QUANTISED = Without("set model.quantize: nf4, beside model.lora, for frozen weights of 4 bits")
_SAMPLER = Without("answers are drawn from the whole distribution, so that log-probs are those of the policy")
_REFERENCE = Without("with LoRA the reference is the policy without its adapters", (None,))
_KERNEL = Idle("attention and kernels are posttrain's own")
_OPTIMISER = Without("the optimiser is AdamW for all trained weights")

RULES: dict[str, Rule] = {
    **base.RULES,
    "model_name_or_path": Joined("model.path", "the policy"),
    "model_revision": Becomes("model.revision", lambda name: None if name == "main" else name),
    "adapter_name_or_path": Joined("model.path", "the adapter is merged, and a new one trained"),
    "trust_remote_code": TRL["trust_remote_code"],
    **each("quantization_bit quantization_method quantization_type", _QUANTISED),
    **each("double_quantization upcast_layernorm upcast_lmhead_output cache_dir use_fast_tokenizer "
           "split_special_tokens low_cpu_mem_usage infer_backend infer_dtype hf_hub_token ms_hub_token "
           "print_param_status",
           Idle("models are loaded by posttrain")),
    **each("flash_attn use_unsloth enable_liger_kernel use_unsloth_gc disable_gradient_checkpointing shift_attn "
           "mixture_of_depths use_reentrant_gc use_kv_cache", _KERNEL),
    "rope_scaling": Without("positions are those of the model's configuration", (None,)),
    "resize_vocab": Becomes("model.resize", bool),
    "add_tokens": Becomes("model.new_tokens", listed),
    **each("add_special_tokens new_special_tokens", Becomes("model.new_special_tokens", listed)),
    # how the weights are trained
    "finetuning_type": Joined("model.lora", "lora (the default) or full"),
    **each("lora_rank lora_alpha lora_target lora_dropout use_rslora additional_target", _LORA),
    "use_dora": Without("adapters are plain LoRA"),
    **each("pissa_init pissa_iter pissa_convert loraplus_lr_ratio loraplus_lr_embedding create_new_adapter",
           Without("adapters are plain LoRA", (None, False, 16, 1e-6))),
    **each("freeze_trainable_layers freeze_trainable_modules freeze_extra_modules use_llama_pro",
           Without("all weights are trained, or adapters")),
    **each("freeze_vision_tower freeze_multi_modal_projector freeze_language_model image_max_pixels video_max_pixels",
           Idle("posttrain reads text only")),
    **each("use_galore use_apollo use_badam use_adam_mini use_muon", _OPTIMISER),
    "pure_bf16": Without("the optimiser keeps the weights in float32 precision; model.dtype: bfloat16"),
    "plot_loss": Idle("the display draws the curves"),
    # data
    **each("dataset dataset_dir", Joined("data.path", "looked up in dataset_info.json; several are data.mix")),
    "eval_dataset": Joined("evaluate.data", "as dataset"),
    "val_size": Without("write held-out records into a file of their own: evaluate.data", (None, 0, 0.0)),
    "template": Joined("model.chat_template", "the tokenizer's own template is used"),
    "cutoff_len": Becomes("train.max_length", note="a longer row loses its end, there question and answer both"),
    "max_samples": Becomes("data.size"),
    "train_on_prompt": Without("prompts are never trained"),
    "mask_history": Becomes("data.train_on", lambda on: "last" if on else "all"),
    "enable_thinking": Becomes("model.chat_template_kwargs", lambda on: {"enable_thinking": bool(on)}),
    "default_system": Without("write the system turn into the data", (None,)),
    "tool_format": Idle("the chat template writes tools"),
    **each("packing neat_packing", Joined("train.prompts_per_step", "a step counts records, not packed blocks")),
    "streaming": Without("set data.stream, which needs train.steps"),
    "interleave_probs": Joined("data.mix", "the weight of each dataset"),
    **each("mix_strategy buffer_size", Idle("an epoch of a mixture with weights ends with the first dataset")),
    **each("overwrite_cache preprocessing_num_workers preprocessing_batch_size tokenized_path data_shared_file_system "
           "ignore_pad_token_for_loss eval_num_beams media_dir", Idle("data are read and encoded by posttrain")),
    # methods
    "stage": Joined("method.path", "pt, sft, rm, dpo, kto or ppo"),
    **each("pref_beta pref_loss dpo_label_smoothing simpo_gamma ld_alpha kto_chosen_weight", _METHOD),
    "kto_rejected_weight": _METHOD,
    "pref_ftx": Without("preference/dpo has no NLL term; preference/cpo has one, without a reference", (None, 0, 0.0)),
    "pref_bco_weight": Without("preference/bco is a method of its own", (None, 0, 0.0)),
    "ref_model": Becomes("models.reference.path"),
    **each("ref_model_adapters ref_model_quantization_bit", _REFERENCE),
    "reward_model": Becomes("models.reward.path"),
    "reward_model_type": Without("a reward model is a whole model: merge its adapter", (None, "full")),
    **each("reward_model_adapters reward_model_quantization_bit", Without("a reward model is a whole model", (None,))),
    **each("ppo_epochs ppo_target ppo_buffer_size", _METHOD),
    "ppo_score_norm": Without("scores are not normalised"),
    "ppo_whiten_rewards": Without("online/ppo whitens advantages, not rewards"),
    "max_new_tokens": Becomes("sampling.max_tokens"),
    "temperature": Becomes("sampling.temperature"),
    **each("top_p top_k repetition_penalty length_penalty num_beams", _SAMPLER),
    "do_sample": Idle("answers are sampled"),
    "predict_with_generate": Without("evaluations with prompts and rewards sample answers"),
    "compute_accuracy": Idle("held-out pairs have an accuracy"),
    "include_effective_tokens_per_second": Idle("metrics have tokens per second"),
    **each("use_swanlab swanlab_project swanlab_run_name swanlab_mode swanlab_workspace",
           Without("trackers are tensorboard, trackio, wandb and mlflow", (None, False, "cloud"))),
    **each("ray_run_name ray_storage_path ray_num_workers resources_per_worker placement_strategy ray_init_kwargs",
           Idle("processes are named in backend")),
}  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    **{key: (key,) for key in base.RULES},
    "model_name_or_path": ("model_name_or_path",),
    "max_length": ("cutoff_len",),
    "beta": ("pref_beta",),
    "loss_type": ("pref_loss",),
    "label_smoothing": ("dpo_label_smoothing",),
    "ld_alpha": ("ld_alpha",),
    "simpo_gamma": ("simpo_gamma",),
    "desirable_weight": ("kto_chosen_weight",),
    "undesirable_weight": ("kto_rejected_weight",),
    "packing": ("packing", "neat_packing"),
    "reward_model_path": ("reward_model",),
    "num_ppo_epochs": ("ppo_epochs",),
    "num_mini_batches": ("ppo_buffer_size",),
}
STAGES = {"pt": "sft", "sft": "sft", "rm": "reward", "dpo": "dpo", "kto": "kto", "ppo": "ppo"}
LOSSES = {"orpo": "orpo", "simpo": "cpo"}  # values of pref_loss that TRL has as trainers
COLUMNS = {  # columns of dataset_info.json -> ours
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "history": "history",
    "messages": "conversations",
    "system": "system",
    "tools": "tools",
    "chosen": "chosen",
    "rejected": "rejected",
    "kto_tag": "label",
}


def assemble(settings: Settings, draft: Draft) -> None:
    """Join the keys that belong together, through the trainers that LLaMA-Factory takes from TRL."""
    stage = settings("stage") or "sft"
    if stage not in STAGES:
        raise ConfigError(f"stage: no {stage!r}; known: {', '.join(STAGES)}")
    loss = settings("pref_loss") or "sigmoid"
    trainer = LOSSES.get(loss, STAGES[stage]) if stage == "dpo" else STAGES[stage]
    own: dict[str, Any] = {
        "max_length": 2048,
        "learning_rate": 5e-5,
        **({"cpo_alpha": 0.0} if trainer == "cpo" else {}),
    }
    own |= {"temperature": 0.95, "response_length": None} if trainer == "ppo" else {}
    inner = settings.renamed(NAMES, {**DEFAULTS[trainer], **own})
    inner.given["assistant_only_loss"] = True
    if stage == "kto":
        inner.given["loss_type"] = "kto"
    _model(settings, draft)
    _data(settings, draft)
    ASSEMBLED[trainer](inner, draft)
    _smoothing(settings, draft)
    base.joined(inner, draft)
    fill(inner, draft, RULES, base.SIMPLE)
    if trainer != "ppo":
        draft.set("train.max_length", inner.whole("max_length"), inner.origin("max_length"))
        draft.set("data.truncate", "right", "as LLaMA-Factory, which cuts long rows")
    if settings("template"):
        draft.differ("template: the tokenizer's own template is used; `posttrain data show FILE` prints its rows")


def _smoothing(settings: Settings, draft: Draft) -> None:
    """Set the smoothing of DPO, which LLaMA-Factory's sigmoid has, unlike TRL's."""
    if draft.values["method.path"] == "preference/dpo" and settings("dpo_label_smoothing"):
        draft.set("method.logistic.smoothing", settings("dpo_label_smoothing"), "dpo_label_smoothing")
        draft.without = [line for line in draft.without if not line.startswith("label_smoothing:")]


def _model(settings: Settings, draft: Draft) -> None:
    kind = settings("finetuning_type") or "lora"
    if kind == "lora":
        rank = settings("lora_rank") or 8
        alpha = settings("lora_alpha") or 2 * int(rank)
        targets = listed(settings("lora_target") or "all")
        adapters(
            draft,
            rank=(rank, settings.origin("lora_rank")),
            alpha=(alpha, settings.origin("lora_alpha")),
            targets=(targets, settings.origin("lora_target")),
            dropout=(settings("lora_dropout"), "lora_dropout"),
            rslora=(settings("use_rslora"), "use_rslora"),
            in_full=(settings("additional_target"), "additional_target"),
        )
    elif kind != "full":
        draft.lose("finetuning_type", kind, "all weights are trained, or LoRA adapters")
    if settings("adapter_name_or_path"):
        draft.set("model.path", listed(settings("adapter_name_or_path"))[0], "adapter_name_or_path")
    elif not settings("model_name_or_path"):
        draft.fill_in("model.path", "MODEL", "the configuration names no model")
    else:
        draft.set("model.path", settings("model_name_or_path"), "model_name_or_path")


def _data(settings: Settings, draft: Draft) -> None:
    """Set the datasets by their entries in dataset_info.json, and the held-out ones."""
    folder = Path(str(settings("dataset_dir") or "data"))
    shares = [float(share) for share in listed(settings("interleave_probs") or [])]
    for ours, key in (("data", "dataset"), ("evaluate.data", "eval_dataset")):
        names = [str(name) for name in listed(settings(key) or [])]
        weights = shares if ours == "data" and len(shares) == len(names) else [None] * len(names)
        found = [_located(draft, ours, folder, *pair) for pair in zip(names, weights, strict=True)]
        set_datasets(draft, ours, found, f"{key}, by dataset_info.json")


def _located(draft: Draft, ours: str, folder: Path, name: str, weight: float | None) -> Dataset:
    """Return a dataset by its entry; one without an entry has to be filled in."""
    entry = _entry(folder, name)
    if entry is None:
        draft.missing.append(f"{ours}: {folder / 'dataset_info.json'} does not say where {name!r} is")
        return Dataset(f"{name}.json", {}, weight)
    hub = entry.get("hf_hub_url")
    path = (
        located(str(hub), entry.get("subset"), entry.get("split")) if hub else str(folder / str(entry.get("file_name")))
    )
    columns = {COLUMNS[k]: str(v) for k, v in (entry.get("columns") or {}).items() if k in COLUMNS and COLUMNS[k] != v}
    return Dataset(path, columns, weight)


def _entry(folder: Path, name: str) -> Mapping[str, Any] | None:
    """Return the entry of a dataset in dataset_info.json, None if there is no such file or entry."""
    file = folder / "dataset_info.json"
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None
    entry = entries.get(name) if isinstance(entries, dict) else None
    return entry if isinstance(entry, Mapping) else None


PEER = Peer("LLaMA-Factory", RULES, assemble)
