"""OpenRLHF's `train_ppo_ray`: what its options say together about method, batch, rewards and sampling."""

from __future__ import annotations

from typing import Any

from posttrain.convert.draft import Draft
from posttrain.convert.openrlhf_data import common
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError

ADVANTAGE, KL = "algo.advantage", "algo.kl"
ESTIMATORS = {
    "gae": "online/ppo",
    "reinforce": "online/reinforce_plus_plus",
    "reinforce_baseline": "online/reinforce_plus_plus_baseline",
    "rloo": "online/rloo",
    "group_norm": "online/grpo",
    "dr_grpo": "online/dr_grpo",
}
DEFAULTS: dict[str, Any] = {
    "rollout.batch_size": 1024, "rollout.n_samples_per_prompt": 1, "rollout.temperature": 1.0, "train.batch_size": 128,
    "train.max_epochs": 1, "train.num_episodes": 1, "data.max_len": 2048, "data.input_key": "input",
    "actor.eps_clip": 0.2, "actor.adam.lr": 1e-6, "critic.adam.lr": 9e-6, "actor.lr_warmup_ratio": 0.03,
    "critic.value_clip": 0.5, f"{ADVANTAGE}.estimator": "gae", f"{ADVANTAGE}.gamma": 1.0, f"{ADVANTAGE}.lambd": 1.0,
    f"{ADVANTAGE}.is_correction_type": "tis", f"{ADVANTAGE}.is_correction_threshold": [0.5, 5.0],
    f"{KL}.init_coef": 0.01, f"{KL}.estimator": "k1", "ds.lora.alpha": 16, "ds.lora.target_modules": "all-linear",
    "train.async_queue_size": 1, "eval.temperature": 0.6, "eval.n_samples_per_prompt": 4,
}  # fmt: skip


def policy_gradient(settings: Settings, draft: Draft) -> None:
    """Set what train_ppo_ray trains: PPO, REINFORCE++, RLOO, GRPO or Dr. GRPO."""
    settings = settings.with_defaults(DEFAULTS)
    path = _method(settings, draft)
    _kl(settings, draft, path)
    _correction(settings, draft)
    _batch(settings, draft, clips="clipped_surrogate" in _clipped(path))
    _rewards(settings, draft)
    common(settings, draft, "prompt_", {"prompt": "data.input_key", "answer": "data.label_key"}, optimiser="actor.")
    _sampling(settings, draft)
    rate = settings("actor.adam.lr")
    if path in ("online/ppo", "online/ppo_adaptive_kl", "online/dual_clip_ppo"):
        source = settings.origin("actor.adam.lr", "critic.adam.lr").replace(" x ", " and ")
        draft.set("train.learning_rate", {"policy": rate, "critic": settings("critic.adam.lr")}, source)
    else:
        draft.set("train.learning_rate", rate, settings.origin("actor.adam.lr"))


def _clipped(path: str) -> str:
    """The name of the part that clips, of the methods that have one."""
    return "" if path == "online/rloo" else "clipped_surrogate"


def _method(settings: Settings, draft: Draft) -> str:
    name = str(settings(f"{ADVANTAGE}.estimator"))
    if name not in ESTIMATORS:
        raise ConfigError(f"{ADVANTAGE}.estimator: {name} has no counterpart; known: {', '.join(ESTIMATORS)}")
    path, dual = ESTIMATORS[name], settings("actor.dual_clip")
    if name == "gae" and settings(f"{KL}.target") is not None:
        path = "online/ppo_adaptive_kl"
    elif name == "gae" and dual is not None:
        path = "online/dual_clip_ppo"
    elif settings("actor.policy_loss_type") == "gspo":
        path = "online/gspo"
        if name != "group_norm":
            draft.lose(f"{ADVANTAGE}.estimator", name, "online/gspo standardises rewards in groups, as group_norm does")
    draft.set("method.path", path, f"{ADVANTAGE}.estimator: {name}")
    if dual is not None and path == "online/dual_clip_ppo":
        draft.set("method.ceiling", settings.number("actor.dual_clip"), "actor.dual_clip")
    elif dual is not None:
        draft.lose("actor.dual_clip", dual, "the second bound of the ratio is that of online/dual_clip_ppo")
    if path == "online/rloo":
        draft.differ("online/rloo has no clipped ratio here; before the first update the gradients are equal")
    else:
        _clip(settings, draft, "dual_clipped_surrogate" if path == "online/dual_clip_ppo" else "clipped_surrogate")
    if path.startswith("online/ppo") or path == "online/dual_clip_ppo":
        draft.set("method.gae.gamma", settings(f"{ADVANTAGE}.gamma"), settings.origin(f"{ADVANTAGE}.gamma"))
        draft.set("method.gae.lam", settings(f"{ADVANTAGE}.lambd"), settings.origin(f"{ADVANTAGE}.lambd"))
        draft.set("method.clipped_value.clip", settings("critic.value_clip"), settings.origin("critic.value_clip"))
        draft.set("method.value.weight", 1.0, "the critic has a learning rate of its own")
    if path in ("online/grpo", "online/dr_grpo"):
        draft.set("method.policy.reduce", "token_mean", "OpenRLHF's mean over all tokens")
    if path == "online/dr_grpo":
        draft.set("method.policy.weight", 1.0, "OpenRLHF divides by the tokens, not by max_tokens")
    if settings("actor.entropy_coef"):
        draft.set("method.entropy", "bonus", "actor.entropy_coef")
        draft.set("method.entropy.weight", settings.number("actor.entropy_coef"), "actor.entropy_coef")
    if settings(f"{ADVANTAGE}.no_std_norm"):
        draft.lose(f"{ADVANTAGE}.no_std_norm", True, "advantages over a batch are divided by their deviation")
    return path


def _clip(settings: Settings, draft: Draft, name: str) -> None:
    both = settings("actor.eps_clip_low_high")
    bounds = both or [settings("actor.eps_clip")] * 2
    origin = settings.origin("actor.eps_clip_low_high" if both else "actor.eps_clip")
    for side, bound in zip(("low", "high"), bounds, strict=True):
        draft.set(f"method.{name}.{side}", float(bound), origin)


def _kl(settings: Settings, draft: Draft, path: str) -> None:
    """Set the KL: of the estimator k1, k2 or k3, in the loss with use_loss, else in the reward."""
    weight, kind = settings.number(f"{KL}.init_coef"), str(settings(f"{KL}.estimator"))
    origin, source = settings.origin(f"{KL}.init_coef"), settings.origin(f"{KL}.estimator")
    if path == "online/ppo_adaptive_kl":
        draft.set("method.adaptive_kl.start", weight, origin)
        draft.set("method.adaptive_kl.target", settings.number(f"{KL}.target"), f"{KL}.target")
        draft.differ("algo.kl.target: the KL here is in nats per answer, and the horizon counts answers")
        return
    in_loss = bool(settings(f"{KL}.use_loss"))
    draft.set("method.kl_in_reward", kind if weight and not in_loss else "none", source if weight else origin)
    draft.set("method.kl_in_loss", kind if weight and in_loss else "none", source if weight else origin)
    if weight and in_loss:
        draft.set("method.kl.weight", weight, origin)
        draft.set("method.kl.reduce", "token_mean", "OpenRLHF's mean over all tokens")
    elif weight:
        draft.set("method.kl_weight", weight, origin)


def _correction(settings: Settings, draft: Draft) -> None:
    if not settings(f"{ADVANTAGE}.is_correction_enable"):
        draft.set("train.rollout_correction", "none", settings.origin(f"{ADVANTAGE}.is_correction_enable"))
        return
    kind, origin = str(settings(f"{ADVANTAGE}.is_correction_type")), settings.origin(f"{ADVANTAGE}.is_correction_type")
    low, high = settings(f"{ADVANTAGE}.is_correction_threshold")
    bounds = settings.origin(f"{ADVANTAGE}.is_correction_threshold")
    if kind == "icepop":
        draft.set("train.rollout_correction", "icepop", origin)
        draft.set("method.banded_importance.low", float(low), bounds)
        draft.set("method.banded_importance.high", float(high), bounds)
    else:
        draft.set("train.rollout_correction", "tis", origin)
        draft.set("method.truncated_importance.cap", float(high), bounds)
        if kind == "seq-mask-tis":
            draft.lose(f"{ADVANTAGE}.is_correction_type", kind, "train.rollout_correction is one of its two halves")
        draft.differ("tis: OpenRLHF's weights also have a lower bound; here only an upper one, as in its source")


def _batch(settings: Settings, draft: Draft, *, clips: bool) -> None:
    prompts, samples = settings.whole("rollout.batch_size"), settings.whole("rollout.n_samples_per_prompt")
    size = settings.whole("train.batch_size")
    if prompts * samples % size:
        raise ConfigError(
            f"rollout.batch_size x n_samples_per_prompt ({prompts} x {samples}) is no multiple of train.batch_size "
            f"({size})"
        )
    draft.set("train.prompts_per_step", prompts, settings.origin("rollout.batch_size"))
    if clips:
        draft.set("method.passes", settings.whole("train.max_epochs"), settings.origin("train.max_epochs"))
        draft.set("method.minibatches", prompts * samples // size, "rollout.batch_size x samples / train.batch_size")
    draft.set("train.epochs", settings.number("train.num_episodes"), settings.origin("train.num_episodes"))
    if settings("train.async_enable"):
        draft.set("train.async_steps", settings.whole("train.async_queue_size"), "train.async_queue_size")
    if settings("critic.freezing_steps") and settings.number("critic.freezing_steps") > 0:
        draft.set("train.critic_warmup", settings.whole("critic.freezing_steps"), "critic.freezing_steps")


def _rewards(settings: Settings, draft: Draft) -> None:
    where = settings("reward.remote_url")
    if where and str(where).endswith(".py"):
        draft.fill_in(
            "rewards", ["math_answer"], f"{where}:reward_func(queries, prompts, labels) as a function of completions"
        )
    elif where:
        draft.fill_in("rewards", ["math_answer"], f"a reward function of yours that asks {where}")
    elif not settings("reward.model_name_or_path"):
        draft.fill_in("rewards", ["math_answer"], "the command names no reward")


def _sampling(settings: Settings, draft: Draft) -> None:
    samples = "rollout.n_samples_per_prompt"
    draft.set("sampling.samples", settings.whole(samples), settings.origin(samples))
    draft.set("sampling.temperature", settings("rollout.temperature"), settings.origin("rollout.temperature"))
    longest = settings.whole("data.max_len")
    draft.set("train.max_length", longest, settings.origin("data.max_len"))
    if settings("rollout.max_new_tokens"):
        draft.set("sampling.max_tokens", settings.whole("rollout.max_new_tokens"), "rollout.max_new_tokens")
    else:
        draft.set("sampling.max_tokens", longest // 2, "half of data.max_len")
        draft.differ("rollout.max_new_tokens: OpenRLHF lets an answer fill what its prompt leaves of max_len")
    if any(key.startswith("evaluate.data") for key in draft.values):
        draft.set("evaluate.temperature", settings("eval.temperature"), settings.origin("eval.temperature"))
        key = "eval.n_samples_per_prompt"
        draft.set("evaluate.samples", settings.whole(key), settings.origin(key))
