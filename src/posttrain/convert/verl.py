"""verl: the keys of its Hydra configuration, `main_ppo` and the SFT trainer."""

from __future__ import annotations

from typing import Any

from posttrain.convert.draft import Draft
from posttrain.convert.rules import Becomes, Idle, Joined, Peer, Rule, Without, each
from posttrain.convert.settings import Settings
from posttrain.convert.values import order, positive_or_null, schedule, trackers, whole_steps
from posttrain.convert.verl_runs import policy_gradient, supervised

_MEMORY = Idle("train.tokens_per_device bounds the memory of a forward pass; the result does not depend on it")
_PARALLEL = Idle("processes are named in backend, and the result does not depend on their number")
_DISPLAY = Idle("runs have no such switch")
_SAMPLER = "answers are drawn from the whole distribution, so that log-probs are those of the policy"
_TURNS = Without(
    "tools belong to an environment in Python: environment: {path: ./mine.py}",
    (None, False, 1, 256, "middle", "hermes", "strict"),
)
_TEMPLATE = Joined("model.chat_template_kwargs", "variables of the chat template")
_METHOD = Joined("method", "the method and its settings")
_RATE = Joined("train.learning_rate", "one for each trained model: {policy: ..., critic: ...}")
_WARMUP = Joined("train.warmup", "a number of steps, or a fraction of the run")
_LENGTHS = Joined("train.max_length", "max_prompt_length + max_response_length: prompt and answer together")
_REWARD = Joined("rewards", "PATH:NAME; verl's own reward goes by the column data_source")

ACTOR, ROLLOUT, MODEL = "actor_rollout_ref.actor", "actor_rollout_ref.rollout", "actor_rollout_ref.model"
RULES: dict[str, Rule] = {
    # data
    **each("data.train_files", Joined("data.path", "several files are data.mix")),
    **each("data.val_files", Joined("evaluate.data", "several files are mixed")),
    **each("data.prompt_key data.response_key data.multiturn.messages_key", Joined("data.columns", "renamed columns")),
    **each("data.prompt_dict_keys data.response_dict_keys", Without("name nested columns in data.columns", (None, []))),
    "data.multiturn.enable": Idle("conversations are recognised by their columns"),
    "data.train_batch_size": Joined("train.prompts_per_step", "prompts of a step, for all processes together"),
    **each("data.max_prompt_length data.max_response_length", _LENGTHS),
    "data.max_length": Joined("train.max_length", "of the SFT trainer"),
    **each("data.filter_overlong_prompts data.truncation", Joined("data.truncate", "drop, or which end is cut off")),
    "data.seed": Becomes("seed"),
    "data.shuffle": Becomes("data.order", order),
    "data.reward_fn_key": Joined("rewards", "the reward is named in the run file, not by a column"),
    **each("data.apply_chat_template_kwargs. data.apply_chat_template_kwargs", _TEMPLATE),
    **each("data.image_key data.video_key", Without("posttrain reads text only", (None, "images", "videos"))),
    "data.custom_cls.": Without("records are read by posttrain; columns are named in data.columns", (None,)),
    "data.sampler.": Without("records are shuffled every epoch", (None,)),
    "data.": Idle("data are read and batched by posttrain"),
    # models
    f"{MODEL}.path": Joined("model.path", "the policy"),
    **each(f"{MODEL}.lora_rank {MODEL}.lora_alpha {MODEL}.target_modules", Joined("model.lora", "with lora_rank > 0")),
    f"{MODEL}.exclude_modules": Without("name the layers in model.lora.targets", (None,)),
    f"{MODEL}.enable_gradient_checkpointing": Becomes("model.activation_checkpointing", bool),
    f"{MODEL}.custom_chat_template": Without("write the template into a file: model.chat_template", (None,)),
    f"{MODEL}.trust_remote_code": Without("code from the hub is never run", (None, False)),
    f"{MODEL}.": _MEMORY,
    # the policy
    f"{ACTOR}.ppo_mini_batch_size": Joined("method.minibatches", "train_batch_size / ppo_mini_batch_size"),
    f"{ACTOR}.ppo_epochs": Joined("method.passes", "passes over the answers of a step"),
    **each(f"{ACTOR}.clip_ratio {ACTOR}.clip_ratio_low {ACTOR}.clip_ratio_high {ACTOR}.loss_agg_mode", _METHOD),
    **each(f"{ACTOR}.use_kl_loss {ACTOR}.kl_loss_coef {ACTOR}.kl_loss_type", _METHOD),
    f"{ACTOR}.clip_ratio_c": Without("the loss of a negative advantage has no second bound", (None,)),
    **each(f"{ACTOR}.entropy_coeff {ACTOR}.tau_pos {ACTOR}.tau_neg", _METHOD),
    f"{ACTOR}.policy_loss.loss_mode": Joined("method", "the method of that loss; vanilla is that of the estimator"),
    **each(f"{ACTOR}.policy_loss.clip_cov_ratio {ACTOR}.policy_loss.clip_cov_lb", _METHOD),
    **each(f"{ACTOR}.policy_loss.clip_cov_ub {ACTOR}.policy_loss.kl_cov_ratio", _METHOD),
    f"{ACTOR}.policy_loss.ppo_kl_coef": _METHOD,
    f"{ACTOR}.policy_loss.": Idle("settings of losses that are not here"),
    f"{ACTOR}.grad_clip": Becomes("train.max_grad_norm", positive_or_null),
    f"{ACTOR}.optim.lr": _RATE,
    f"{ACTOR}.optim.weight_decay": Becomes("train.weight_decay"),
    f"{ACTOR}.optim.betas": Becomes("train.betas"),
    **each(f"{ACTOR}.optim.lr_warmup_steps {ACTOR}.optim.lr_warmup_steps_ratio", _WARMUP),
    **each(f"{ACTOR}.optim.warmup_style {ACTOR}.optim.lr_scheduler_type", Becomes("train.schedule", schedule)),
    f"{ACTOR}.optim.min_lr_ratio": Without("linear and cosine end at 0", (None, 0, 0.0)),
    f"{ACTOR}.optim.num_cycles": Without("cosine is half a wave", (None, 0.5)),
    f"{ACTOR}.optim.": Idle("the optimiser is AdamW; its length is that of the run"),
    f"{ACTOR}.": _MEMORY,
    "actor_rollout_ref.ref.": _MEMORY,
    # answers
    f"{ROLLOUT}.n": Joined("sampling.samples", "answers to a prompt"),
    f"{ROLLOUT}.temperature": Becomes("sampling.temperature"),
    f"{ROLLOUT}.top_k": Without(_SAMPLER, (None, -1, 0)),
    f"{ROLLOUT}.top_p": Without(_SAMPLER, (None, 1, 1.0)),
    f"{ROLLOUT}.val_kwargs.n": Joined("evaluate.samples", "answers to a held-out prompt"),
    f"{ROLLOUT}.val_kwargs.temperature": Joined("evaluate.temperature", "0 is greedy"),
    f"{ROLLOUT}.val_kwargs.do_sample": Joined("evaluate.temperature", "false is 0"),
    f"{ROLLOUT}.val_kwargs.top_k": Without(_SAMPLER, (None, -1, 0)),
    f"{ROLLOUT}.val_kwargs.top_p": Without(_SAMPLER, (None, 1, 1.0)),
    f"{ROLLOUT}.multi_turn.": _TURNS,
    f"{ROLLOUT}.": Idle("answers are drawn by the native sampler; sampler: {path: vllm} draws them with vLLM"),
    "actor_rollout_ref.": _PARALLEL,
    # the critic and rewards
    "critic.model.path": Becomes("models.critic.path"),
    "critic.optim.lr": _RATE,
    "critic.cliprange_value": _METHOD,
    "critic.": _MEMORY,
    **each("custom_reward_function.path custom_reward_function.name", _REWARD),
    **each("reward.custom_reward_function.path reward.custom_reward_function.name", _REWARD),
    "reward_model.enable": Joined("models.reward.path", "with reward_model.model.path"),
    "reward_model.model.path": Joined("models.reward.path", "if reward_model.enable is true"),
    **each("reward_model.reward_manager reward_model.reward_kwargs.", Idle("a reward gets all its columns by name")),
    **each("reward_model.overlong_buffer.enable reward_model.overlong_buffer.len", _METHOD),
    "reward_model.": _MEMORY,
    "reward.": Idle("a reward gets all its columns by name"),
    # the algorithm
    "algorithm.adv_estimator": Joined("method.path", "gae, grpo, rloo or remax"),
    **each("algorithm.gamma algorithm.lam algorithm.norm_adv_by_std_in_grpo algorithm.use_kl_in_reward", _METHOD),
    **each("algorithm.kl_ctrl.type algorithm.kl_ctrl.kl_coef algorithm.kl_ctrl.horizon", _METHOD),
    **each("algorithm.kl_ctrl.target_kl algorithm.filter_groups.enable", _METHOD),
    "algorithm.kl_penalty": Without("the KL in the reward is log π/π_ref of the sampled tokens", (None, "kl", "k1")),
    "algorithm.use_pf_ppo": Without("answers are not resampled by their rewards"),
    "algorithm.rollout_correction.": Without("train.rollout_correction: tis, icepop and others, one at a time"),
    "algorithm.": Idle("settings of what is switched off"),
    # the run
    "trainer.total_epochs": Joined("train.epochs", "unless total_training_steps is set"),
    "trainer.total_training_steps": Joined("train.steps", "batches of answers, as here"),
    "trainer.save_freq": Becomes("train.save_every", lambda steps: None if steps < 1 else whole_steps(steps)),
    "trainer.test_freq": Joined("evaluate.every", "if it is above 0"),
    "trainer.experiment_name": Becomes("name"),
    "trainer.default_local_dir": Joined("output", "its last folder is the name of the run"),
    **each("trainer.max_actor_ckpt_to_keep", Becomes("train.keep")),
    "trainer.critic_warmup": Becomes("train.critic_warmup"),
    "trainer.val_only": Without("`posttrain eval` measures a model"),
    "trainer.logger": Becomes("report", trackers, "nothing leaves the machine: W&B stays offline unless online: true"),
    **each("trainer.resume_mode trainer.resume_from_path", Idle("resume with `posttrain train RUN.yaml --resume`")),
    "trainer.": _DISPLAY,
    **each("config_path config_name", Without("the configuration of that name is not read; convert its file too")),
    **each("ray_kwargs. ray_init. global_profiler. transfer_queue. hydra.", _PARALLEL),
    # the SFT trainer
    "model.partial_pretrain": Joined("model.path", "the policy"),
    **each("model.lora_rank model.lora_alpha model.target_modules", Joined("model.lora", "with lora_rank > 0")),
    "model.enable_gradient_checkpointing": Becomes("model.activation_checkpointing", bool),
    "model.": _MEMORY,
    "optim.lr": _RATE,
    "optim.weight_decay": Becomes("train.weight_decay"),
    "optim.betas": Becomes("train.betas"),
    **each("optim.lr_warmup_steps_ratio optim.warmup_steps_ratio", _WARMUP),
    "optim.clip_grad": Becomes("train.max_grad_norm", positive_or_null),
    "optim.lr_scheduler": Becomes("train.schedule", lambda name: "cosine" if name == "wsd" else schedule(name)),
    "optim.": _MEMORY,
    **each("ulysses_sequence_parallel_size use_remove_padding", _PARALLEL),
}


def assemble(settings: Settings, draft: Draft) -> None:
    """Join the keys that belong together, for main_ppo or for the SFT trainer."""
    given: dict[str, Any] = settings.given
    if "model.partial_pretrain" in given or any(key.startswith("optim.") for key in given):
        supervised(settings, draft)
    else:
        policy_gradient(settings, draft)


PEER = Peer("verl", RULES, assemble, flattened=None)
