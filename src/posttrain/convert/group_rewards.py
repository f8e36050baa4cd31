"""GRPO and RLOO under the names of TRL, as methods."""

from __future__ import annotations

from posttrain.convert import transformers_arguments as base
from posttrain.convert.draft import Draft
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError

REDUCTIONS = {"grpo": "sequence_mean", "dapo": "token_mean", "bnpo": "token_mean", "dr_grpo": "sequence_sum"}
OWN = {  # loss types that are methods of their own, and TRL's names of their settings
    "cispo": ("online/cispo", {"truncated_reinforce.cap": "epsilon_high"}),
    "sapo": ("online/sapo", {"tau_positive": "sapo_temperature_pos", "tau_negative": "sapo_temperature_neg"}),
    "vespo": (
        "online/vespo",
        {
            "k_positive": "vespo_k_pos",
            "k_negative": "vespo_k_neg",
            "lambda_positive": "vespo_lambda_pos",
            "lambda_negative": "vespo_lambda_neg",
        },
    ),
    "luspo": ("online/luspo", {"clipped_surrogate.low": "epsilon", "clipped_surrogate.high": "epsilon_high"}),
}
SCALES = {"group": "group", "none": "none", "batch": "batch", "true": "group", "false": "none"}


def grpo(settings: Settings, draft: Draft) -> None:
    """Set the method of TRL's GRPOTrainer from its loss type, its scaling of rewards and its ratio."""
    loss, scale = str(settings("loss_type")), SCALES.get(str(settings("scale_rewards")).lower(), "?")
    if loss not in {**REDUCTIONS, **OWN}:
        raise ConfigError(f"loss_type: {loss!r} has no counterpart; known: {', '.join((*REDUCTIONS, *OWN))}")
    if scale == "batch":
        draft.lose("scale_rewards", "batch", "rewards are divided by the deviation of their group")
    elif scale == "?":
        raise ConfigError(f"scale_rewards is {settings('scale_rewards')!r}; expected group, batch or none")
    _entropy(settings, draft)
    _mask(settings, draft)
    if loss in OWN:
        _own(settings, draft, loss, scale)
    else:
        _clipped(settings, draft, loss, scale)
    batch(settings, draft)


def _clipped(settings: Settings, draft: Draft, loss: str, scale: str) -> None:
    """Set a method with PPO's clip."""
    sequence = settings("importance_sampling_level") == "sequence"
    if scale == "none" and sequence:
        draft.lose("scale_rewards", "none", "online/gspo divides by the deviation of the group")
    path = "online/gspo" if sequence else "online/dr_grpo" if scale == "none" else "online/grpo"
    decoupled = path == "online/grpo" and settings("multi_objective_aggregation") == "normalize_then_sum"
    if decoupled:
        draft.set("method.path", "online/gdpo", settings.origin("multi_objective_aggregation"))
        draft.set("method.decoupled_standardise.eps", 1e-4, "TRL's constant")
    origin = f"{settings.origin('loss_type')}: {loss}; {settings.origin('scale_rewards')}: {scale}"
    draft.set("method.path", path, origin)
    if path != "online/dr_grpo" and not decoupled:
        draft.set("method.group_standardise.eps", 1e-4, "TRL's constant")
    _clip(settings, draft)
    _reduction(settings, draft, loss, path)


def _mask(settings: Settings, draft: Draft) -> None:
    """Set the mask of bad answers that the policy has left."""
    if settings("off_policy_mask_threshold") is not None:
        origin = settings.origin("off_policy_mask_threshold")
        draft.set("train.rollout_correction", "opsm", origin)
        draft.set("method.off_policy_sequence_mask.delta", settings.number("off_policy_mask_threshold"), origin)


def _own(settings: Settings, draft: Draft, loss: str, scale: str) -> None:
    """Set a method whose loss is not PPO's clip, on the standardised advantages of GRPO."""
    path, names = OWN[loss]
    draft.set("method.path", path, f"{settings.origin('loss_type')}: {loss}")
    draft.set("method.group_standardise.eps", 1e-4, "TRL's constant")
    for ours, theirs in names.items():
        key = "epsilon" if theirs == "epsilon_high" and settings(theirs) is None else theirs
        draft.set(f"method.{ours}", settings.number(key), settings.origin(key))
    if scale == "none":
        draft.lose("scale_rewards", "none", f"{path} divides by the deviation of the group")
    if beta := settings.number("beta"):
        draft.lose("beta", beta, f"{path} has no KL term; a variant with that of online/grpo is a file of a few lines")


def _entropy(settings: Settings, draft: Draft) -> None:
    """Set the bonus for entropy: a number, or one that aims at a target."""
    if settings("use_adaptive_entropy"):
        draft.set("method.entropy", "target", settings.origin("use_adaptive_entropy"))
        names = {"start": "entropy_coef", "target": "entropy_target", "delta": "entropy_coef_delta"}
        for ours, theirs in (names | {"largest": "entropy_coef_max"}).items():
            draft.set(f"method.adaptive_entropy.{ours}", settings.number(theirs), settings.origin(theirs))
        draft.differ("entropy_target: the entropy is that of the sampled tokens, measured before the update")
    elif settings("entropy_coef"):
        draft.set("method.entropy", "bonus", settings.origin("entropy_coef"))
        draft.set("method.entropy.weight", settings.number("entropy_coef"), settings.origin("entropy_coef"))


def _clip(settings: Settings, draft: Draft) -> None:
    high = "epsilon_high" if settings("epsilon_high") is not None else "epsilon"
    draft.set("method.clipped_surrogate.low", settings("epsilon"), settings.origin("epsilon"))
    draft.set("method.clipped_surrogate.high", settings(high), settings.origin(high))


def _reduction(settings: Settings, draft: Draft, loss: str, path: str) -> None:
    """Set how the tokens are averaged, and the weight of the KL, which is averaged in the same way."""
    constant = loss == "dr_grpo"
    per_token = 1 / settings.whole("max_completion_length") if constant else 1.0
    note = "1 / max_completion_length" if constant else "the mean of loss_type"
    draft.set("method.policy.reduce", REDUCTIONS[loss], settings.origin("loss_type"))
    if constant or path == "online/dr_grpo":
        draft.set("method.policy.weight", per_token, note)
    beta = settings.number("beta")
    if path == "online/grpo":
        draft.set("method.kl.weight", beta * per_token, settings.origin("beta"))
        draft.set("method.kl.reduce", REDUCTIONS[loss], settings.origin("loss_type"))
    elif beta:
        draft.lose("beta", beta, f"{path} has no KL term; a variant with that of online/grpo is a file of a few lines")
    if beta and settings("use_bias_correction_kl") is not False:
        draft.differ("beta: TRL multiplies the KL term by the ratio unless use_bias_correction_kl is false; here never")
    if loss == "bnpo":
        draft.differ("loss_type: bnpo divides by the tokens of a micro-batch in TRL, by those of the whole step here")


def rloo(settings: Settings, draft: Draft) -> None:
    """Set the method of TRL's RLOOTrainer."""
    draft.method(
        "online/rloo", "the trainer rloo", row_reward_minus_kl__kl_weight=(settings("beta"), settings.origin("beta"))
    )
    draft.differ(
        "RLOO has no clipped ratio here (epsilon is not read); before the first update the gradients are equal"
    )
    batch(settings, draft)


def batch(settings: Settings, draft: Draft) -> None:
    """Set the prompts of a step. TRL counts answers: a generation batch is split into optimiser steps."""
    per_step = base.records_per_step(settings, draft)
    accumulation = settings.whole("gradient_accumulation_steps")
    keys = ["per_device_train_batch_size", "gradient_accumulation_steps"]
    if settings("generation_batch_size"):
        answers = settings.whole("generation_batch_size")
        keys = ["generation_batch_size"]
    elif settings("steps_per_generation"):
        answers = per_step // accumulation * settings.whole("steps_per_generation")
        keys = ["per_device_train_batch_size", "steps_per_generation"]
    else:
        answers = per_step
    samples, passes = settings.whole("num_generations"), settings.whole("num_iterations")
    if answers % samples or answers % per_step:
        raise ConfigError(
            f"a batch of {answers} answers is no multiple of num_generations ({samples}) and of the {per_step} answers "
            "of an optimiser step; TRL needs that too, counting all its processes: --gpus N"
        )
    draft.set("sampling.samples", samples, settings.origin("num_generations"))
    origin = base.with_processes(settings.origin(*keys), settings)
    draft.set("train.prompts_per_step", answers // samples, f"{origin} / num_generations")
    draft.set("method.passes", passes, settings.origin("num_iterations"))
    draft.set("method.minibatches", answers // per_step, "optimiser steps in a batch of answers")
    draft.differ("batch size: TRL counts answers, here a step counts prompts; each gets sampling.samples answers")
    base.length(settings, draft, passes * (answers // per_step))
