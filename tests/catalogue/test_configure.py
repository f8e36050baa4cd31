"""Settings belong to the function that reads them."""

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure, settings
from posttrain.core.method import SEQUENCE_MEAN, TOKEN_MEAN, Derived, Method, Stream, Term
from posttrain.core.parts import PartError, PerToken, part
from posttrain.core.plan import plan
from posttrain.formulas.credit.advantages import reward_to_go
from posttrain.formulas.losses.scores import nll
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.methods.online.gspo import METHOD as GSPO
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.methods.online.safe_rlhf import METHOD as SAFE
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.methods.preference.simpo import METHOD as SIMPO


def layered(logp, *, layers: tuple[int, ...] = (1, 2), name: str = "a", on: bool = False) -> PerToken:
    return logp


def values(method, key):
    """The setting by slot."""
    return {slot: v for slot, _, k, v in settings(method) if k == key}


LAYERED = Method(name="layered", streams=Stream("demonstrations"), loss=Term(layered, reduce=TOKEN_MEAN))


class TestRead:
    def test_every_setting_is_listed_with_its_slot_and_part(self):
        assert ("loss", "logistic", "beta", 2.0) in settings(SIMPO)
        assert ("cost_credit", "gae", "lam", 0.95) in settings(SAFE)

    def test_the_helper_of_pairs_is_no_setting(self):
        assert not [s for s in settings(DPO) if s[2] == "column"]

    def test_a_slot_name_may_be_used_twice(self):
        method = Method(
            name="twice",
            streams=Stream("prompts"),
            derived={"credit": reward_to_go, "token_reward": part(reward_to_go, token_reward="rollout_logp")},
            loss={"credit": Term(part(layered, logp="logp"), "x", TOKEN_MEAN)} | {"b": Term(nll, reduce=TOKEN_MEAN)},
            fields={"x": catalogue.load("online/dr_grpo").vocabulary["per_token"]},
        )
        assert {(s, f) for s, f, _, _ in settings(method) if s == "credit"} == {
            ("credit", "reward_to_go"),
            ("credit", "layered"),
        }


class TestChange:
    def test_by_its_bare_name(self):
        assert values(configure(GRPO, {"high": 0.28}), "high") == {"policy": 0.28}

    def test_by_part_in_every_slot(self):
        assert values(configure(SAFE, {"gae.lam": 0.5}), "lam") == {"credit": 0.5, "cost_credit": 0.5}

    def test_by_slot_in_one(self):
        assert values(configure(SAFE, {"cost_credit.lam": 0.5}), "lam") == {"credit": 0.95, "cost_credit": 0.5}
        assert values(configure(SAFE, {"cost_credit.gae.lam": 0.5}), "lam") == {"credit": 0.95, "cost_credit": 0.5}

    def test_passes_and_minibatches(self):
        changed = configure(PPO, {"passes": 2, "minibatches": 3})
        assert (changed.passes, changed.minibatches) == (2, 3)

    def test_a_weight_and_a_reduction(self):
        changed = configure(GRPO, {"kl.weight": 0, "policy.reduce": "token_mean"})
        assert changed.loss["kl"].weight == 0.0
        assert changed.loss["policy"].reduce is TOKEN_MEAN
        assert changed.loss["kl"].reduce is SEQUENCE_MEAN

    def test_a_weight_of_zero_unloads_what_only_it_needs(self):
        assert "reference" in plan(GRPO).loaded
        assert "reference" not in plan(configure(GRPO, {"kl.weight": 0.0})).loaded

    def test_whole_numbers_become_floats_and_lists_tuples(self):
        high = values(configure(GRPO, {"high": 1}), "high")["policy"]
        assert (type(high), high) == (float, 1.0)
        assert values(configure(LAYERED, {"layers": [3, 4]}), "layers") == {"loss": (3, 4)}

    def test_the_method_itself_stays_what_it_is(self):
        before = settings(GRPO)
        configure(GRPO, {"high": 0.5, "kl.weight": 0.1})
        assert settings(GRPO) == before
        assert configure(GRPO, {}) == GRPO

    def test_when_a_tensor_is_made_stays_what_it_is(self):
        assert configure(catalogue.load("online/ppo_penalty"), {"doubling_kl.target": 0.1}).derived[
            "penalty_weight"
        ] == Derived(
            part(catalogue.load("online/ppo_penalty").derived["penalty_weight"].part.fn, target=0.1), each="end"
        )

    def test_metrics_measure_with_the_settings_of_the_loss(self):
        """clip_ratio says where the loss was clipped, not where another number would have clipped it."""
        for method in (configure(GRPO, {"high": 0.28}), configure(GRPO, {"clipped_surrogate.high": 0.28})):
            metric = method.metrics["clip_ratio/region_mean"].part
            assert dict(metric.settings)["high"] == 0.28


WRONG = {
    "unread": (
        SIMPO,
        {"clip_high": 0.28},
        r"method 'simpo' reads no setting 'clip_high'.*; it reads .*logistic.beta.*, passes, minibatches",
    ),
    "misspelt": (GRPO, {"hihg": 0.3}, r"reads no setting 'hihg' \(did you mean 'high'\?\)"),
    "misspelt with its part": (SAFE, {"gae.lamb": 0.9}, r"\(did you mean 'gae.lam'\?\)"),
    "of another slot": (SAFE, {"policy.lam": 0.9}, "reads no setting 'policy.lam'"),
    "of another method": (SAFE, {"margin": 1.0}, "method 'safe_rlhf' reads no setting 'margin'"),
    "text for a number": (GRPO, {"high": "0.3"}, "method.high must be float, not '0.3'"),
    "a truth for a number": (GRPO, {"high": True}, "method.high must be float, not True"),
    "a number for a truth": (LAYERED, {"on": 1}, "method.on must be bool, not 1"),
    "a number for text": (LAYERED, {"name": 3}, "method.name must be str, not 3"),
    "half a pass": (PPO, {"passes": 1.5}, "method.passes must be a whole number of at least 1, not 1.5"),
    "no minibatch": (PPO, {"minibatches": 0}, "method.minibatches must be a whole number of at least 1, not 0"),
    "a true pass": (PPO, {"passes": True}, "method.passes must be a whole number"),
    "text for a weight": (GRPO, {"kl.weight": "big"}, "method.kl.weight must be a number, not 'big'"),
    "an unknown reduction": (
        GRPO,
        {"kl.reduce": "median"},
        "method.kl.reduce must be one of token_mean, sequence_mean, sequence_sum",
    ),
    "a reduction that does not fit": (
        DPO,
        {"loss.reduce": "token_mean"},
        r"logistic returns \[N\]: reduce= must be left out",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_setting_says_what_is_right(wrong):
    method, changes, message = WRONG[wrong]
    with pytest.raises(PartError, match=message):
        configure(method, changes)


def both(logp, *, beta: float = 1.0) -> PerToken:
    return beta * logp


def test_a_setting_that_two_parts_read_must_name_one():
    method = Method(
        name="two", streams=Stream("demonstrations"), loss=Term(part(both, logp=part(other)), reduce=TOKEN_MEAN)
    )
    with pytest.raises(PartError, match=r"'beta' is read by both and other: write both.beta or other.beta"):
        configure(method, {"beta": 0.5})
    assert {f: v for _, f, _, v in settings(configure(method, {"both.beta": 0.5}))} == {"both": 0.5, "other": 1.0}


def other(logp, *, beta: float = 1.0) -> PerToken:
    return beta * logp


def test_gspo_reports_the_clip_that_it_uses():
    loss, metric = GSPO.loss["policy"].part, GSPO.metrics["clip_ratio/region_mean"].part
    assert dict(loss.settings) == dict(metric.settings)


def test_a_choice_is_one_of_those_that_the_annotation_names():
    gpo = catalogue.load("preference/gpo")
    assert ("loss", "convex", "shape", "savage") in settings(configure(gpo, {"shape": "savage"}))
    for wrong in ("round", 1.0, None):
        with pytest.raises(PartError, match="method.shape must be one of logistic, hinge, squared"):
            configure(gpo, {"shape": wrong})
