"""TRL: the keys of its configurations and scripts (version 1.16 and those before it)."""

from __future__ import annotations

from typing import Any

from posttrain.convert import transformers_arguments as base
from posttrain.convert.adapters import adapters
from posttrain.convert.converter import fill
from posttrain.convert.draft import Draft
from posttrain.convert.rules import Becomes, Idle, Joined, Peer, Rule, Without, each
from posttrain.convert.settings import Settings
from posttrain.convert.trl_trainers import ASSEMBLED, DEFAULTS
from posttrain.convert.values import dtype
from posttrain.errors import ConfigError, suggestion

_LORA = Joined("model.lora", "with use_peft")
FILLED = (
    "train_sampling_strategy",
    "max_length",
    "max_completion_length",
    "max_new_tokens",
    "response_length",
    "temperature",
)
TRUNCATIONS = {"keep_start": "right", "keep_end": "left"}
_METHOD = Joined("method", "the method and its settings; see the table of methods")
_SAMPLER = "answers are drawn from the whole distribution, so that log-probs are those of the policy"
_ENGINE = Idle("answers are sampled by posttrain's own engine, from the weights that are trained")
_REFERENCE = Without("the reference model stays as it is")
_QUANTISED = Without("set model.quantize: nf4, beside model.lora, for frozen weights of 4 bits")

RULES: dict[str, Rule] = {
    **base.RULES,
    # the model
    "model_name_or_path": Joined("model.path", "the policy"),
    "sft_model_path": Joined("model.path", "the policy of the former PPOTrainer"),
    "model_revision": Becomes("model.revision", lambda name: None if name == "main" else name),
    "dtype": Becomes("model.dtype", dtype, "the optimiser keeps the weights in float32 precision in any case"),
    "torch_dtype": Becomes("model.dtype", dtype, "the optimiser keeps the weights in float32 precision in any case"),
    "use_peft": Joined("model.lora", "false trains all weights"),
    **each("lora_r lora_alpha lora_dropout lora_target_modules use_rslora lora_modules_to_save", _LORA),
    "lora_task_type": Idle("the heads that a method needs are made by posttrain"),
    "lora_target_parameters": Without("adapters are on linear layers"),
    "use_dora": Without("adapters are plain LoRA"),
    **each("load_in_8bit load_in_4bit", _QUANTISED),
    **each(
        "bnb_4bit_quant_type use_bnb_nested_quant bnb_4bit_quant_storage",
        Idle("weights of 4 bits are nf4"),
    ),
    "trust_remote_code": Without("code from the hub is never run; the model must be one of transformers' own"),
    "attn_implementation": Idle("attention on flat tokens is posttrain's own"),
    "model_init_kwargs": Without("the keys of the section model say how a model is loaded", (None, {})),
    "router_aux_loss_coef": Without("there is no auxiliary loss of mixtures of experts", (None, 0, 0.0)),
    "chat_template_path": Becomes("model.chat_template"),
    "eos_token": Without("an answer ends with the token that the tokenizer and its chat template say"),
    **each("pad_token pad_to_multiple_of padding_free padding_value", Idle("tokens lie end to end, without padding")),
    "disable_dropout": Idle("dropout is always off"),
    "activation_offloading": Idle("model.activation_checkpointing saves memory"),
    "cast_lm_head_to_fp32": Idle("log-probs are computed in float32"),
    # data
    **each("dataset_name dataset_config dataset_train_split", Joined("data.path", "HUB_ID:config=NAME,split=NAME")),
    "dataset_test_split": Joined("evaluate.data", "where eval_strategy is not no"),
    "dataset_text_field": Joined("data.columns", "{text: NAME}, where it is not text"),
    "datasets": Joined("data.mix", "all records of each"),
    **each("dataset_mixture dataset_mixer", Joined("data.mix", "all records of each")),
    "dataset_splits": Without("name the split in the path: HUB_ID:split=NAME"),
    "dataset_prompt_column": Joined("data.columns", "{prompt: NAME}"),
    "system_prompt": Without("write the system turn into the data", (None, "")),
    "chat_template": Without("write the template into a file: model.chat_template", (None,)),
    "streaming": Without("set data.stream, which needs train.steps"),
    "test_split_size": Without("name a file of held-out data: evaluate.data", (None,)),
    "dataset_streaming": Without("set data.stream, which needs train.steps"),
    **each("dataset_num_proc dataset_kwargs ignore_bias_buffers", Idle("data are read and encoded by posttrain")),
    "shuffle_dataset": Joined("data.order", "false is file, for GRPO and RLOO"),
    "max_length": Becomes("train.max_length"),
    "max_seq_length": Becomes("train.max_length"),
    "max_prompt_length": Without("prompts are never cut; train.max_length bounds prompt and answer together", (None,)),
    "truncation_mode": Joined("data.truncate", "keep_start is right, keep_end is left: which end is cut off"),
    "packing": Joined("train.prompts_per_step", "a step counts records, not packed blocks"),
    **each("eval_packing packing_strategy", Idle("tokens lie end to end, without padding")),
    "chat_template_kwargs": Becomes("model.chat_template_kwargs"),
    # supervised fine-tuning and reward models
    "assistant_only_loss": Joined("method.path", "true is what posttrain does: only the assistant's turns are trained"),
    "completion_only_loss": Joined("method.path", "true is what posttrain does: prompts are never trained"),
    "center_rewards_coefficient": Without("the scores of a reward model are not centred", (None, 0, 0.0)),
    # preferences
    **each("beta loss_type label_smoothing discopop_tau f_divergence_type f_alpha_divergence_coef ld_alpha", _METHOD),
    **each("use_weighting desirable_weight undesirable_weight cpo_alpha simpo_gamma loss_weights alpha", _METHOD),
    **each("precompute_ref_log_probs precompute_ref_batch_size", Idle("the reference is computed once a batch")),
    "reference_free": Without("preference/simpo, preference/cpo and preference/orpo have no reference"),
    "sync_ref_model": _REFERENCE,
    **each("ref_model_mixup_alpha ref_model_sync_steps", Idle("used with sync_ref_model only")),
    "generate_during_eval": Idle("evaluations with prompts and rewards sample answers"),
    "is_encoder_decoder": Without("models are decoders"),
    # answers and rewards
    "num_generations": Joined("sampling.samples", "answers to a prompt"),
    "max_completion_length": Becomes("sampling.max_tokens"),
    "max_new_tokens": Becomes("sampling.max_tokens"),
    "response_length": Becomes("sampling.max_tokens"),
    "temperature": Becomes("sampling.temperature"),
    "top_p": Without(_SAMPLER, (None, 1, 1.0)),
    "top_k": Without(_SAMPLER, (None, 0, -1)),
    "min_p": Without(_SAMPLER, (None, 0, 0.0)),
    "repetition_penalty": Without(_SAMPLER, (None, 1, 1.0)),
    "generation_kwargs": Without(_SAMPLER, (None, {})),
    "num_generations_eval": Joined("evaluate.samples", "where eval_strategy is not no"),
    "generation_batch_size": Joined("train.prompts_per_step", "divided by num_generations"),
    "steps_per_generation": Joined("method.minibatches", "divided by gradient_accumulation_steps"),
    "reward_funcs": Joined("rewards", "TRL's own are trl.rewards:NAME"),
    "reward_weights": Joined("rewards", "weight of each"),
    "reward_model_name_or_path": Becomes("models.reward.path"),
    "reward_model_path": Becomes("models.reward.path"),
    "missing_eos_penalty": Without(
        "add the transform unended to each reward: transform: {path: unended, penalty: ...}"
    ),
    "mask_truncated_completions": Without("answers that were cut are trained like the others"),
    "multi_objective_aggregation": Joined("method.path", "normalize_then_sum is online/gdpo"),
    "log_completions": Becomes("train.samples_every", lambda on: 1 if on else 10),
    **each(
        "log_multimodal num_completions_to_print log_unique_prompts log_completions_hub_repo",
        Idle("answers are written to samples/ in the folder of the run"),
    ),
    # group rewards and PPO
    **each("epsilon epsilon_high importance_sampling_level scale_rewards use_bias_correction_kl", _METHOD),
    **each("kl_coef cliprange cliprange_value vf_coef gamma lam num_ppo_epochs num_mini_batches", _METHOD),
    "num_iterations": Joined("method.passes", "μ, the passes over a batch of answers"),
    "total_episodes": Joined("train.steps", "divided by the answers of a step"),
    "delta": Without("online/dual_clip_ppo has a second bound, the clip of GRPO has none"),
    "top_entropy_quantile": Without("online/top_entropy trains the least certain tokens", (None, 1, 1.0)),
    **each("entropy_coef use_adaptive_entropy entropy_coef_max entropy_coef_delta entropy_target", _METHOD),
    "entropy_coef_min": Idle("the bonus for entropy is never negative"),
    **each("sapo_temperature_neg sapo_temperature_pos", _METHOD),
    **each("vespo_k_pos vespo_lambda_pos vespo_k_neg vespo_lambda_neg", _METHOD),
    "off_policy_mask_threshold": Joined("train.rollout_correction", "opsm, with the threshold as its delta"),
    "normalize_advantages": Without("advantages of RLOO are not whitened"),
    "reward_clip_range": Without("clip in the reward function itself"),
    "whiten_rewards": Without("online/ppo whitens advantages, not rewards"),
    "max_tool_calling_iterations": Without("tools belong to an environment: {path: ./mine.py, max_turns: N}"),
    "use_vllm": _ENGINE,
    **each(
        "use_transformers_continuous_batching transformers_continuous_batching_config cache_implementation", _ENGINE
    ),
    **each("use_transformers_paged ds3_gather_for_generation", _ENGINE),
    **each("vllm_mode vllm_model_impl vllm_enable_sleep_mode vllm_server_base_url vllm_server_host", _ENGINE),
    **each("vllm_server_port vllm_server_timeout vllm_group_port vllm_gpu_memory_utilization vllm_device", _ENGINE),
    **each("vllm_max_model_length vllm_max_model_len vllm_tensor_parallel_size vllm_dtype", _ENGINE),
    **each("vllm_importance_sampling_correction vllm_importance_sampling_mode vllm_importance_sampling_cap", _ENGINE),
    **each("vllm_importance_sampling_clip_max vllm_importance_sampling_clip_min vllm_enable_prefix_caching", _ENGINE),
    "vllm_structured_outputs_regex": Without(_SAMPLER),
}
# Keys of versions before 1.16, of trainers that left TRL, and of scripts around TRL (alignment-handbook, open-r1).
FORMER = (
    base.FORMER
    | each("torch_dtype max_seq_length max_prompt_length reference_free sft_model_path", _ENGINE).keys()
    | each("vllm_device vllm_max_model_len vllm_dtype vllm_enable_prefix_caching", _ENGINE).keys()
    | each("response_length kl_coef cliprange cliprange_value vf_coef gamma lam num_ppo_epochs", _ENGINE).keys()
    | each("dataset_mixture dataset_mixer dataset_splits dataset_prompt_column system_prompt", _ENGINE).keys()
    | each("chat_template num_mini_batches total_episodes whiten_rewards", _ENGINE).keys()
)


def assemble(settings: Settings, draft: Draft) -> None:
    """Join the keys that belong together, and write TRL's defaults where they change what is learned."""
    trainer = trainer_of(settings)
    settings = settings.with_defaults(DEFAULTS[trainer])
    _model(settings, draft)
    ASSEMBLED[trainer](settings, draft)
    base.joined(settings, draft)
    if settings("max_length"):
        mode = settings("truncation_mode") or "keep_start"
        if mode not in TRUNCATIONS:
            raise ConfigError(f"truncation_mode: no {mode!r}; known: {', '.join(TRUNCATIONS)}")
        draft.set("data.truncate", TRUNCATIONS[mode], settings.origin("truncation_mode"))
    fill(settings, draft, RULES, (*base.SIMPLE, *FILLED))


def trainer_of(settings: Settings) -> str:
    """Return the trainer that the command names, or the only one that reads some key. Raises ConfigError otherwise."""
    if settings.trainer:
        if settings.trainer not in DEFAULTS:
            raise ConfigError(
                f"no trainer {settings.trainer!r}{suggestion(settings.trainer, DEFAULTS)}; known: {', '.join(DEFAULTS)}"
            )
        return settings.trainer
    telling = {
        "sft": ("assistant_only_loss", "completion_only_loss", "packing", "dataset_text_field"),
        "kto": ("desirable_weight", "undesirable_weight"),
        "dpo": ("precompute_ref_log_probs", "discopop_tau", "f_divergence_type", "use_weighting", "ld_alpha"),
        "cpo": ("cpo_alpha", "simpo_gamma"),
        "reward": ("center_rewards_coefficient",),
        "rloo": ("normalize_advantages", "reward_clip_range"),
        "grpo": ("scale_rewards", "importance_sampling_level", "mask_truncated_completions", "num_generations"),
        "ppo": ("num_ppo_epochs", "cliprange", "kl_coef"),
    }
    for trainer, keys in telling.items():
        if any(key in settings for key in keys):
            return trainer
    raise ConfigError(
        f"the configuration does not tell which of TRL's trainers it is for; write --trainer: {', '.join(DEFAULTS)}"
    )


def _model(settings: Settings, draft: Draft) -> None:
    key = next((k for k in ("model_name_or_path", "sft_model_path") if settings(k)), None)
    if key:
        draft.set("model.path", settings(key), key)
    else:
        draft.fill_in("model.path", "MODEL", "the configuration names no model")
    if settings("use_peft"):
        targets: Any = settings("lora_target_modules")
        if targets is None:
            targets = ["q_proj", "v_proj"]
            draft.differ(
                "lora_target_modules: peft adapts q_proj and v_proj of most models; null here adapts all but the last"
            )
        adapters(
            draft,
            rank=(settings("lora_r"), settings.origin("lora_r")),
            alpha=(settings("lora_alpha"), settings.origin("lora_alpha")),
            targets=(targets, settings.origin("lora_target_modules")),
            dropout=(settings("lora_dropout"), settings.origin("lora_dropout")),
            rslora=(settings("use_rslora"), "use_rslora"),
            in_full=(settings("lora_modules_to_save"), "lora_modules_to_save"),
        )


PEER = Peer("TRL", RULES, assemble, former=FORMER)
