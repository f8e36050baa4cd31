"""The advantages and losses of verl as methods."""

from __future__ import annotations

from posttrain.convert.draft import Draft
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError

ACTOR = "actor_rollout_ref.actor"
REDUCTIONS = {
    "token-mean": "token_mean",
    "seq-mean-token-mean": "sequence_mean",
    "seq-mean-token-sum": "sequence_sum",
    "seq-mean-token-sum-norm": "sequence_sum",
}
LOSS = f"{ACTOR}.policy_loss"
MODES = {  # loss modes that are methods, and verl's names of their settings
    "cispo": ("online/cispo", {}),
    "sapo": ("online/sapo", {"tau_positive": f"{ACTOR}.tau_pos", "tau_negative": f"{ACTOR}.tau_neg"}),
    "geo_mean": ("online/gmpo", {}),
    "clip_cov": (
        "online/clip_cov",
        {
            "without_high_covariance.share": f"{LOSS}.clip_cov_ratio",
            "without_high_covariance.lowest": f"{LOSS}.clip_cov_lb",
            "without_high_covariance.highest": f"{LOSS}.clip_cov_ub",
        },
    ),
    "kl_cov": (
        "online/kl_cov",
        {"highest_covariance.share": f"{LOSS}.kl_cov_ratio", "kl.weight": f"{LOSS}.ppo_kl_coef"},
    ),
    "dppo_tv": ("online/dppo", {}),
    "dppo_kl": ("online/dppo", {}),
}
KL_TERMS = {"kl": "k1", "k1": "k1", "mse": "k2", "k2": "k2", "low_var_kl": "k3", "k3": "k3", "k1+": "k1+", "k3+": "k3+"}
KL_TERMS |= {"kl+": "k1+", "low_var_kl+": "k3+"}
ESTIMATORS = {"gae": "online/ppo", "grpo": "online/grpo", "rloo": "online/rloo", "remax": "online/remax"}


def method(settings: Settings, draft: Draft) -> None:
    """Set the method by its advantage estimator. Raises ConfigError for one that has no counterpart."""
    name = str(settings("algorithm.adv_estimator")).rpartition(".")[2].lower()
    if name not in ESTIMATORS:
        raise ConfigError(
            f"algorithm.adv_estimator: {name} has no counterpart; known: {', '.join(ESTIMATORS)}; `posttrain methods` "
            "lists what there is, and a method of yours is a file"
        )
    if settings(f"{ACTOR}.entropy_coeff"):
        origin = settings.origin(f"{ACTOR}.entropy_coeff")
        draft.set("method.entropy", "bonus", origin)
        draft.set("method.entropy.weight", settings.number(f"{ACTOR}.entropy_coeff"), origin)
    if name == "gae":
        _ppo(settings, draft)
    elif name == "grpo":
        _grpo(settings, draft)
    else:
        _reinforce(settings, draft, name)
    draft.differ(
        "clip_ratio_c: verl bounds the loss of a negative advantage (3.0 by default); here there is no such bound"
    )
    if settings("data.train_batch_size"):
        draft.differ(
            "batch size: train_batch_size counts prompts for all GPUs together, as train.prompts_per_step does"
        )


def _set(settings: Settings, draft: Draft, pairs: dict[str, str]) -> None:
    for ours, key in pairs.items():
        draft.set(f"method.{ours}", settings(key), settings.origin(key))


def _clip(settings: Settings, draft: Draft) -> None:
    """Set the bounds of the ratio: clip_ratio_low and clip_ratio_high, else clip_ratio."""
    for side in ("low", "high"):
        key = _bound(settings, side)
        draft.set(f"method.clipped_surrogate.{side}", settings(key), settings.origin(key))


def _ppo(settings: Settings, draft: Draft) -> None:
    adaptive = settings("algorithm.use_kl_in_reward") and settings("algorithm.kl_ctrl.type") == "adaptive"
    draft.set("method.path", "online/ppo_adaptive_kl" if adaptive else "online/ppo", "algorithm.adv_estimator: gae")
    _clip(settings, draft)
    _set(
        settings,
        draft,
        {"gae.gamma": "algorithm.gamma", "gae.lam": "algorithm.lam", "clipped_value.clip": "critic.cliprange_value"},
    )
    draft.set("method.value.weight", 1.0, "the critic has a learning rate of its own")
    if adaptive:
        kl = {"start": "kl_coef", "target": "target_kl", "horizon": "horizon"}
        _set(settings, draft, {f"adaptive_kl.{ours}": f"algorithm.kl_ctrl.{key}" for ours, key in kl.items()})
        draft.differ("kl_ctrl: the KL here is in nats per answer, and the horizon counts answers")
    else:
        draft.set("method.reward_minus_fixed_kl.kl_weight", *_reward_kl(settings))
    draft.set("method.policy.reduce", _reduction(settings), settings.origin(f"{ACTOR}.loss_agg_mode"))
    if settings(f"{ACTOR}.use_kl_loss"):
        _kl_term(settings, draft, 1.0)


def _own_loss(settings: Settings, draft: Draft, mode: str) -> None:
    """Set a method whose loss is not PPO's clip, on the standardised advantages of GRPO."""
    if mode not in MODES:
        raise ConfigError(f"{LOSS}.loss_mode: {mode} has no counterpart; known: vanilla, gspo, {', '.join(MODES)}")
    path, names = MODES[mode]
    draft.set("method.path", path, f"{LOSS}.loss_mode: {mode}")
    for ours, key in names.items():
        if settings(key) is not None:
            draft.set(f"method.{ours}", settings.number(key), settings.origin(key))
    low, high = (_bound(settings, side) for side in ("low", "high"))
    if mode == "cispo":
        draft.set("method.truncated_reinforce.cap", 1 + settings.number(high), f"1 + {settings.origin(high)}")
        draft.differ("cispo: verl also bounds the weight from below; here only from above, as in the paper")
    elif mode.startswith("dppo"):
        draft.set("method.divergence", mode.removeprefix("dppo_"), f"{LOSS}.loss_mode: {mode}")
        draft.set("method.threshold", settings.number(high), settings.origin(high))
    elif mode in ("geo_mean", "clip_cov"):
        part = "geometric_ratio" if mode == "geo_mean" else "clipped_surrogate"
        draft.set(f"method.{part}.low", settings.number(low), settings.origin(low))
        draft.set(f"method.{part}.high", settings.number(high), settings.origin(high))
    draft.set("method.policy.reduce", _reduction(settings), settings.origin(f"{ACTOR}.loss_agg_mode"))
    _kl_loss(settings, draft, path, 1.0)


def _bound(settings: Settings, side: str) -> str:
    """Return the key of a bound of the ratio: its own, else that of both."""
    own = f"{ACTOR}.clip_ratio_{side}"
    return own if settings(own) is not None else f"{ACTOR}.clip_ratio"


def _grpo(settings: Settings, draft: Draft) -> None:
    mode = str(settings(f"{LOSS}.loss_mode") or "vanilla")
    if mode not in ("vanilla", "gspo"):
        _own_loss(settings, draft, mode)
        return
    by_std = settings("algorithm.norm_adv_by_std_in_grpo") is not False
    sequence = mode == "gspo"
    filtered, buffer = settings("algorithm.filter_groups.enable"), settings("reward_model.overlong_buffer.enable")
    paths = {(True, True): "online/dapo", (True, False): "online/grpo", (False, False): "online/dr_grpo"}
    path = "online/gspo" if sequence else paths.get((by_std, bool(filtered and buffer)), "online/dr_grpo")
    draft.set("method.path", path, "algorithm.adv_estimator: grpo")
    if path == "online/dapo":
        share = settings.number("reward_model.overlong_buffer.len") / settings.number("data.max_response_length")
        draft.set("method.soft_overlong.buffer", share, "overlong_buffer.len / max_response_length")
    elif filtered or buffer:
        key = "algorithm.filter_groups.enable" if filtered else "reward_model.overlong_buffer.enable"
        draft.lose(key, True, "online/dapo has both: fresh groups and a penalty on long answers")
    _clip(settings, draft)
    norm = settings(f"{ACTOR}.loss_agg_mode") == "seq-mean-token-sum-norm"
    weight = 1 / settings.whole("data.max_response_length") if norm else 1.0
    draft.set("method.policy.reduce", _reduction(settings), settings.origin(f"{ACTOR}.loss_agg_mode"))
    if norm or path == "online/dr_grpo":
        draft.set("method.policy.weight", weight, "1 / max_response_length" if norm else "the mean of loss_agg_mode")
    _kl_loss(settings, draft, path, weight)


def _kl_loss(settings: Settings, draft: Draft, path: str, weight: float) -> None:
    """Set the KL in the loss. verl has none unless use_kl_loss is true."""
    used = bool(settings(f"{ACTOR}.use_kl_loss"))
    coefficient = settings.number(f"{ACTOR}.kl_loss_coef") * weight if used else 0.0
    if path == "online/grpo":
        key = f"{ACTOR}.kl_loss_coef" if used else f"{ACTOR}.use_kl_loss"
        draft.set("method.kl.weight", coefficient, settings.origin(key))
        draft.set("method.kl.reduce", _reduction(settings), settings.origin(f"{ACTOR}.loss_agg_mode"))
    if used and path == "online/kl_cov":
        draft.lose(f"{ACTOR}.use_kl_loss", True, "the KL of online/kl_cov is that to the policy before the batch")
    elif used and (path != "online/grpo" or settings(f"{ACTOR}.kl_loss_type") not in ("low_var_kl", "k3")):
        _kl_term(settings, draft, weight)
    if settings("algorithm.use_kl_in_reward"):
        _row_kl(settings, draft)


def _row_kl(settings: Settings, draft: Draft) -> None:
    """Set the KL of whole answers in the rewards that a group is compared by."""
    draft.set("method.kl_in_reward", "k1", settings.origin("algorithm.use_kl_in_reward"))
    draft.set("method.row_reward_minus_kl.kl_weight", *_reward_kl(settings))
    if settings("algorithm.kl_ctrl.type") == "adaptive":
        draft.lose("algorithm.kl_ctrl.type", "adaptive", "the weight of the KL adapts in online/ppo_adaptive_kl alone")


def _kl_term(settings: Settings, draft: Draft, weight: float) -> None:
    """Set a KL term of verl's estimator, times `weight`."""
    key = f"{ACTOR}.kl_loss_type"
    kind = str(settings(key))
    if kind not in KL_TERMS:
        draft.lose(key, kind, f"the KL of the loss is estimated by {', '.join(dict.fromkeys(KL_TERMS.values()))}")
        return
    draft.set("method.kl_in_loss", KL_TERMS[kind], settings.origin(key))
    coefficient = settings.number(f"{ACTOR}.kl_loss_coef") * weight
    draft.set("method.kl.weight", coefficient, settings.origin(f"{ACTOR}.kl_loss_coef"))
    draft.set("method.kl.reduce", _reduction(settings), settings.origin(f"{ACTOR}.loss_agg_mode"))


def _reinforce(settings: Settings, draft: Draft, name: str) -> None:
    draft.set("method.path", ESTIMATORS[name], f"algorithm.adv_estimator: {name}")
    part = "row_reward_minus_kl" if name == "rloo" else "reward_minus_fixed_kl"
    draft.set(f"method.{part}.kl_weight", *_reward_kl(settings))
    draft.differ(f"{ESTIMATORS[name]} has no clipped ratio here; before the first update the gradients are equal")
    mode = settings(f"{ACTOR}.loss_agg_mode")
    draft.set("method.loss.reduce", _reduction(settings), settings.origin(f"{ACTOR}.loss_agg_mode"))
    if mode == "seq-mean-token-sum-norm":
        draft.set("method.loss.weight", 1 / settings.whole("data.max_response_length"), "1 / max_response_length")
    if settings(f"{ACTOR}.use_kl_loss"):
        _kl_term(settings, draft, 1.0)


def _reward_kl(settings: Settings) -> tuple[float, str]:
    """Return the weight of the KL in the reward and its origin."""
    if settings("algorithm.use_kl_in_reward"):
        return settings.number("algorithm.kl_ctrl.kl_coef"), settings.origin("algorithm.kl_ctrl.kl_coef")
    return 0.0, settings.origin("algorithm.use_kl_in_reward")


def _reduction(settings: Settings) -> str:
    mode = str(settings(f"{ACTOR}.loss_agg_mode"))
    if mode not in REDUCTIONS:
        raise ConfigError(f"loss_agg_mode: no {mode!r}; known: {', '.join(REDUCTIONS)}")
    return REDUCTIONS[mode]
