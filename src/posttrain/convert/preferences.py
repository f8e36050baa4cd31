"""Losses on preferences under the names of TRL, as methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from posttrain.convert.draft import Draft
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError, suggestion


@dataclass(frozen=True)
class Loss:
    """A method for a `loss_type`: which settings take `beta` and `label_smoothing`, and what is fixed."""

    path: str
    beta: str | None = "logistic.beta"
    smoothing: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


LOSSES: dict[str, Loss] = {
    "sigmoid": Loss("preference/dpo", note="TRL's sigmoid ignores label_smoothing; preference/cdpo smooths"),
    "sigmoid_norm": Loss("preference/dpo", fixed={"aggregate": "mean"}),
    "hinge": Loss("preference/gpo", "convex.beta", fixed={"convex.shape": "hinge"}),
    "ipo": Loss("preference/ipo", "squared.tau"),
    "exo_pair": Loss("preference/exo", "reverse_kl.beta", "reverse_kl.smoothing"),
    "nca_pair": Loss("preference/nca", "noise_contrast.beta"),
    "robust": Loss("preference/robust_dpo", "debiased_logistic.beta", "debiased_logistic.smoothing"),
    "bco_pair": Loss(
        "preference/bco", "two_classes.beta", note="TRL's bco_pair has no threshold; here it follows the scores"
    ),
    "sppo_hard": Loss("preference/sppo", "self_play.beta"),
    "aot": Loss("preference/aot", "sorted_logistic.beta", "sorted_logistic.smoothing"),
    "aot_unpaired": Loss("preference/aot_unpaired", "sorted_logistic.beta", "sorted_logistic.smoothing"),
    "aot_pair": Loss("preference/aot", "sorted_logistic.beta", "sorted_logistic.smoothing"),
    "apo_zero": Loss("preference/apo_zero", "anchored.beta"),
    "apo_down": Loss("preference/apo_down", "anchored_down.beta"),
    "discopop": Loss("preference/discopop", "blended.beta"),
    "sft": Loss("imitation/sft", None, note="the data must be the chosen answers: prompt and completion"),
}
DIVERGENCES = {
    "reverse_kl": "reverse_kl",
    "forward_kl": "forward_kl",
    "js_divergence": "jensen_shannon",
    "alpha_divergence": "alpha",
}


def dpo(settings: Settings, draft: Draft) -> None:
    """Set the method of TRL's DPOTrainer: its loss type, or the variant that another key switches on."""
    name = loss_type(settings)
    divergence = str(settings("f_divergence_type")).rpartition(".")[2].lower()
    if name == "sigmoid" and settings("use_weighting"):
        _set(draft, Loss("preference/wpo", "weighted_logistic.beta"), settings, "use_weighting")
        draft.differ("use_weighting: the weight of a pair is cut at 1 and carries no gradient, as by the authors")
    elif name == "sigmoid" and settings("ld_alpha") is not None:
        fixed = {"in_common.beyond": settings("ld_alpha")}
        _set(draft, Loss("preference/ld_dpo", fixed=fixed), settings, "ld_alpha")
    elif name == "sigmoid" and divergence != "reverse_kl":
        _set(draft, _f_divergence(settings, divergence), settings, "f_divergence_type")
    else:
        _set(draft, LOSSES[name], settings, f"loss_type: {name}")
        if name == "discopop":
            draft.set("method.blended.tau", settings("discopop_tau"), settings.origin("discopop_tau"))
        lost = [k for k in ("use_weighting", "ld_alpha") if settings(k)] + ["f_divergence_type"] * (
            divergence != "reverse_kl"
        )
        for key in lost:
            draft.lose(key, settings(key), f"not together with loss_type: {name}")


def loss_type(settings: Settings) -> str:
    """Return the one loss type. Raises ConfigError for several and for unknown ones."""
    names = settings("loss_type")
    names = [names] if isinstance(names, str) else list(names)
    if len(names) > 1:
        raise ConfigError(
            f"loss_type: {', '.join(map(str, names))}: a sum of losses is a method of its own; write it as a file: "
            "CONTRIBUTING.md shows how, and `method: ./mine.py` trains with it"
        )
    if names[0] not in LOSSES:
        raise ConfigError(f"loss_type: no {names[0]!r}{suggestion(str(names[0]), LOSSES)}; known: {', '.join(LOSSES)}")
    return str(names[0])


def _f_divergence(settings: Settings, name: str) -> Loss:
    if name not in DIVERGENCES:
        raise ConfigError(f"f_divergence_type: no {name!r}; known: {', '.join(DIVERGENCES)}")
    fixed: dict[str, Any] = {"divergence_score.divergence": DIVERGENCES[name]}
    if name == "alpha_divergence":
        fixed["divergence_score.alpha"] = 1 - settings.number("f_alpha_divergence_coef")
    return Loss("preference/f_dpo", fixed=fixed, note="f_alpha_divergence_coef c is 1 - α of the paper")


def _set(draft: Draft, loss: Loss, settings: Settings, origin: str) -> None:
    """Set the method and its settings, with TRL's values where the user wrote none."""
    draft.set("method.path", loss.path, origin)
    if loss.beta:
        draft.set(f"method.{loss.beta}", settings("beta"), settings.origin("beta"))
    smoothing = settings("label_smoothing")
    if loss.smoothing:
        value = 1e-3 if loss.path == "preference/exo" and not smoothing else smoothing
        draft.set(f"method.{loss.smoothing}", value, settings.origin("label_smoothing"))
    elif smoothing:
        draft.lose("label_smoothing", smoothing, loss.note or f"{loss.path} does not smooth")
    for key, value in loss.fixed.items():
        draft.set(f"method.{key}", value, origin)
    if loss.note and loss.path != "preference/dpo":
        draft.differ(loss.note)


def kto(settings: Settings, draft: Draft) -> None:
    """Set the method of TRL's KTOTrainer."""
    name = settings("loss_type")
    if name != "kto":
        raise ConfigError(f"loss_type: {name!r} of KTO has no counterpart; preference/kto is the loss type kto")
    draft.method(
        "preference/kto",
        "the trainer kto",
        prospect__beta=(settings("beta"), settings.origin("beta")),
        prospect__desirable=(settings("desirable_weight"), settings.origin("desirable_weight")),
        prospect__undesirable=(settings("undesirable_weight"), settings.origin("undesirable_weight")),
    )
    draft.differ("KTO's reference point is the mean over the whole optimiser step, in TRL over each micro-batch")


def orpo(settings: Settings, draft: Draft) -> None:
    """Set the method of TRL's ORPOTrainer, whose beta is the weight of the odds."""
    draft.method(
        "preference/orpo",
        "the trainer orpo",
        odds__weight=(settings("beta"), settings.origin("beta")),
        length_weight__over=("tokens", "the trainer orpo"),
    )
    draft.differ("ORPO's NLL is a mean over the tokens of the preferred answers; in TRL also over those of the prompts")


def cpo(settings: Settings, draft: Draft) -> None:
    """Set the method of TRL's CPOTrainer: CPO or SimPO."""
    name = settings("loss_type")
    if name not in ("sigmoid", "simpo"):
        raise ConfigError(f"loss_type: {name!r} of CPO has no counterpart; known: sigmoid, simpo")
    beta = (settings("beta"), settings.origin("beta"))
    smoothing = (settings("label_smoothing"), settings.origin("label_smoothing"))
    if name == "sigmoid":
        alpha = (settings("cpo_alpha"), settings.origin("cpo_alpha"))
        draft.method(
            "preference/cpo", "the trainer cpo", logistic__beta=beta, logistic__smoothing=smoothing, nll__weight=alpha
        )
        draft.differ("CPO's NLL is a mean over answers of means over tokens; in TRL one mean over all tokens")
        return
    margin = (settings("simpo_gamma"), settings.origin("simpo_gamma"))
    draft.method(
        "preference/simpo",
        "loss_type: simpo",
        logistic__beta=beta,
        logistic__margin=margin,
        logistic__smoothing=smoothing,
    )
    if settings("cpo_alpha"):
        draft.lose("cpo_alpha", settings("cpo_alpha"), "preference/simpo has no NLL term; TRL's default adds one")
