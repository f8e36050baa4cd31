"""OpenRLHF: the options of `train_ppo_ray`, `train_dpo`, `train_rm` and `train_sft`."""

from __future__ import annotations

from posttrain.convert.draft import Draft
from posttrain.convert.openrlhf_losses import preferences, reward_model, supervised
from posttrain.convert.openrlhf_ppo import policy_gradient
from posttrain.convert.rules import Becomes, Idle, Joined, Peer, Rule, UnsupportedError, Without, each
from posttrain.convert.settings import Settings
from posttrain.convert.values import positive_or_null, schedule, whole_steps

_MEMORY = Idle("train.tokens_per_device bounds the memory of a forward pass; the result does not depend on it")
_PARALLEL = Idle("processes are named in backend, and the result does not depend on their number")
_ENGINE = Idle("answers are drawn by the native sampler; sampler: {path: vllm} draws them with vLLM")
_METHOD = Joined("method", "the method and its settings")
_CORRECTION = Joined("train.rollout_correction", "tis or icepop, and its bounds")
_RATE = Joined("train.learning_rate", "one for each trained model: {policy: ..., critic: ...}")
_LORA = Joined("model.lora", "with ds.lora.rank > 0")
_DATA = Joined("data", "one dataset, or data.mix with the shares of several")
_COLUMNS = Joined("data.columns", "renamed columns")
_REPORT = Joined("report", "tensorboard or wandb, which stays offline unless online: true")
_MUON = Without("the optimiser is AdamW for all trained weights", (None,))


def _dtype(name: object) -> str:
    """Return the number format of the weights."""
    if name != "bf16":
        raise UnsupportedError("model.dtype: bfloat16 or float32", "bfloat16")
    return "bfloat16"


def _every(steps: object) -> int | None:
    """Return a number of steps; -1 is never."""
    return whole_steps(steps) if float(str(steps)) > 0 else None


def _optimiser(prefix: str) -> dict[str, Rule]:
    """The rules of an optimiser: that of the actor, or of the one model of the other trainers."""
    return {
        f"{prefix}adam.lr": _RATE,
        f"{prefix}adam.betas": Becomes("train.betas"),
        f"{prefix}adam.weight_decay": Becomes("train.weight_decay"),
        f"{prefix}adam.eps": Without("AdamW's epsilon is 1e-8", (None, 1e-8)),
        f"{prefix}max_norm": Becomes("train.max_grad_norm", positive_or_null),
        f"{prefix}lr_scheduler": Becomes("train.schedule", schedule),
        f"{prefix}lr_warmup_ratio": Joined("train.warmup", "a fraction of the run; 0.03 by default"),
        f"{prefix}min_lr_ratio": Without("linear and cosine end at 0", (None, 0, 0.0)),
        f"{prefix}optim": Without("the optimiser is AdamW for all trained weights", (None, "adam")),
        f"{prefix}muon.": _MUON,
    }


RULES: dict[str, Rule] = {
    # models
    **each("actor.model_name_or_path model.model_name_or_path", Joined("model.path", "the policy")),
    "critic.model_name_or_path": Becomes("models.critic.path"),
    "reward.model_name_or_path": Becomes("models.reward.path"),
    "ref.model_name_or_path": Becomes("models.reference.path"),
    "reward.remote_url": Joined("rewards", "a file of functions; a server is a reward function of yours"),
    **each("actor.gradient_checkpointing_enable model.gradient_checkpointing_enable",
           Becomes("model.activation_checkpointing", bool)),
    "ds.param_dtype": Becomes("model.dtype", _dtype),
    **each("ds.lora.rank ds.lora.alpha ds.lora.target_modules ds.lora.dropout", _LORA),
    "ds.load_in_4bit": Without("set model.quantize: nf4, beside model.lora"),
    "ds.value_head_prefix": Idle("heads are found by their names"),
    "ds.": _PARALLEL,
    **each("actor.aux_loss_coef model.aux_loss_coef", Without("mixtures of experts get no balancing loss", (None, 0))),
    **each("actor.freeze_visual_encoder data.image_key data.max_images_per_prompt", Idle("posttrain reads text only")),
    # data
    **each("data.prompt_dataset data.prompt_probs data.dataset data.dataset_probs", _DATA),
    **each("data.prompt_split data.dataset_split", Joined("data.path", "owner/name:split=NAME")),
    **each("data.input_key data.label_key data.output_key", _COLUMNS),
    **each("data.prompt_key data.chosen_key data.rejected_key", _COLUMNS),
    "data.max_len": Joined("train.max_length", "prompt and answer together"),
    "data.max_samples": Joined("data.size", "unless it is OpenRLHF's own very large default"),
    "data.apply_chat_template": Joined("data.chat", "false where it is not given: the prompt is plain text"),
    "data.tokenizer_chat_template": Without("write the template into a file: model.chat_template", (None,)),
    "data.input_template": Without("prompts are written by the chat template, or as they are", (None,)),
    "data.multiturn": Idle("conversations are recognised by their columns"),
    "model.pretrain_mode_enable": Without("name the text in data.columns: {text: ...}"),
    "data.": Idle("data are read and batched by posttrain"),
    # answers
    "rollout.batch_size": Joined("train.prompts_per_step", "prompts of a step"),
    "rollout.n_samples_per_prompt": Joined("sampling.samples", "answers to a prompt"),
    "rollout.max_new_tokens": Joined("sampling.max_tokens", "else what data.max_len leaves"),
    "rollout.temperature": Becomes("sampling.temperature"),
    "rollout.top_p": Without("answers are drawn from the whole distribution", (None, 1, 1.0)),
    "rollout.": _MEMORY,
    "vllm.": _ENGINE,
    "train.agent_func_path": Without("an agent is an environment: environment: ./mine.py", (None,)),
    # the algorithm
    "algo.advantage.estimator": Joined("method.path", "gae, reinforce, rloo, reinforce_baseline, group_norm, dr_grpo"),
    **each("algo.advantage.gamma algo.advantage.lambd algo.advantage.no_std_norm", _METHOD),
    **each("algo.advantage.is_correction_enable algo.advantage.is_correction_type", _CORRECTION),
    "algo.advantage.is_correction_threshold": _CORRECTION,
    **each("algo.kl.init_coef algo.kl.use_loss algo.kl.estimator algo.kl.target algo.kl.horizon", _METHOD),
    **each("algo.dynamic_filtering_enable algo.dynamic_filtering_range",
           Without("online/dapo samples until groups have different rewards", (None, False, [0, 1], [0.0, 1.0]))),
    **each("actor.eps_clip actor.eps_clip_low_high actor.dual_clip actor.policy_loss_type", _METHOD),
    **each("actor.entropy_coef critic.value_clip", _METHOD),
    "reward.clip_range": Without("rewards are not clipped", (None, [-10, 10], [-10.0, 10.0])),
    "reward.normalize_enable": Without("advantages are normalised, not rewards"),
    **each("reward.overlong_buffer_len reward.overlong_penalty_factor",
           Without("the penalty on long answers is a part of online/dapo", (None,))),
    "reward.stop_properly_penalty_coef": Without("answers that are cut off keep their reward", (None,)),
    "critic.adam.lr": _RATE,
    "critic.freezing_steps": Joined("train.critic_warmup", "if it is above 0"),
    **each("critic. reward. ref.", _PARALLEL),
    **_optimiser("actor."),
    **_optimiser(""),
    "actor.": _PARALLEL,
    **each("model.beta model.ipo_enable model.label_smoothing model.nll_loss_coef", _METHOD),
    "model.": _MEMORY,
    # the run
    "train.batch_size": Joined("method.minibatches", "answers of an optimiser step; elsewhere records of a step"),
    "train.max_epochs": Joined("method.passes", "passes over the answers of a step; train.epochs of other trainers"),
    "train.num_episodes": Joined("train.epochs", "passes over the prompts"),
    "train.seed": Becomes("seed"),
    **each("train.async_enable train.async_queue_size",
           Joined("train.async_steps", "the length of the queue, if it is enabled")),
    "train.partial_rollout_enable": Without("sampling.spare_prompts: answers go on in the next step"),
    **each("train.enable_ema train.ema_beta", Without("no average of the weights is kept", (None, False, 0.992))),
    "train.": _MEMORY,
    "ckpt.save_steps": Becomes("train.save_every", _every),
    "ckpt.max_num": Becomes("train.keep"),
    "ckpt.output_dir": Joined("output", "its last folder is the name of the run"),
    "ckpt.": Idle("a run saves the model and its checkpoints in its folder"),
    "eval.dataset": Joined("evaluate.data", "held-out data"),
    "eval.steps": Joined("evaluate.every", "if it is above 0"),
    "eval.temperature": Joined("evaluate.temperature", "0.6 by default"),
    "eval.n_samples_per_prompt": Joined("evaluate.samples", "4 by default"),
    "eval.": Idle("the split is named in evaluate.data"),
    "logger.logging_steps": Becomes("train.log_every"),
    **each("logger.wandb.key logger.tensorboard_dir", _REPORT),
    "logger.": Idle("nothing but the tracker's name is set here"),
    **each("local_rank use_ms", _PARALLEL),
}  # fmt: skip


def assemble(settings: Settings, draft: Draft) -> None:
    """Join the options that belong together, for the trainer that the command names."""
    trainers = {"dpo": preferences, "reward": reward_model, "rm": reward_model, "sft": supervised}
    trainers.get(settings.trainer or "", policy_gradient)(settings, draft)


PEER = Peer("openrlhf", RULES, assemble, flattened=None)
