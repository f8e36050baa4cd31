"""From a method to what is computed, by which model, when and in which order; or an error that names the remedy."""

import pickle
from dataclasses import replace

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.core.kinds import kind
from posttrain.core.method import MAIN, TOKEN_MEAN, Derived, Method, Stream, Term, without
from posttrain.core.parts import PerRow, PerToken, Scalar, part
from posttrain.core.plan import PlanError, plan
from posttrain.core.vocabulary import Field, Source, When
from posttrain.core.weights import Average
from posttrain.formulas.credit.advantages import at_every_token, gae, whiten
from posttrain.formulas.credit.baselines import group_standardise
from posttrain.formulas.losses.penalties import forward_kl, kl_k3
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.formulas.losses.scores import log_ratio, nll
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.methods.online.dr_grpo import METHOD as DR_GRPO
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.methods.online.nash_md import METHOD as NASH_MD
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.methods.online.ppo_penalty import METHOD as PPO_PENALTY
from posttrain.methods.online.ppo_ptx import METHOD as PPO_PTX
from posttrain.methods.online.reinforce import METHOD as REINFORCE
from posttrain.methods.online.safe_rlhf import METHOD as SAFE
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.methods.preference.kto import METHOD as KTO

REWARDED = {MAIN: kind("prompts").tensors | {"reward"}}


# ---- functions of imaginary users


def leaky(reward, logp, rows) -> PerToken:
    return rows.spread(reward) * logp


def likes(label, rows) -> PerToken:
    return rows.spread(label)


def follows(b) -> Scalar:
    return b


def mean_distance(distance: PerToken, rows) -> Scalar:
    return rows.mean(distance).mean()


def listwise(score: PerRow, group: PerRow) -> PerRow:
    return score - score[group == group[0]].logsumexp(0)


def moved(logp, old_logp, rows) -> Scalar:
    return rows.mean(logp - old_logp).mean() > 1


def steered(z: PerToken, rows, *, start: float = 1.0) -> Scalar:
    return rows.mean(z).mean() * start


def at(method, when, stream=MAIN, arrives=None):
    """Names of the model outputs that are made at a time."""
    return set(plan(method, arrives).forwards.get((when, stream), {}))


def made(**changes):
    given = {"name": "mine", "streams": Stream("prompts"), "loss": Term(nll, reduce=TOKEN_MEAN)}
    return Method(**given | changes)


class TestModels:
    def test_a_model_is_trained_if_a_loss_reads_one_of_its_live_tensors(self):
        assert plan(SFT).trained == ("policy",)
        assert plan(SAFE).trained == ("cost_critic", "critic", "policy")
        assert plan(catalogue.load("reward/bradley_terry")).trained == ("reward",)

    def test_only_what_is_read_is_loaded(self):
        assert plan(SFT).loaded == ("policy",)
        assert plan(DPO).loaded == ("policy", "reference")
        assert plan(GRPO).loaded == ("policy", "reference", "reward")
        assert plan(GRPO, REWARDED).loaded == ("policy", "reference")
        assert plan(DR_GRPO, REWARDED).loaded == ("policy",)

    def test_a_stored_log_prob_unloads_the_reference(self):
        assert plan(DPO, {MAIN: kind("pairs").tensors | {"ref_logp"}}).loaded == ("policy",)

    def test_a_source_never_hides_another(self):
        method = made(derived={"advantage": at_every_token}, loss=Term(reinforce, reduce=TOKEN_MEAN))
        with pytest.raises(PlanError, match="advantage has two sources: the method derives it, and the data"):
            plan(method, {MAIN: REWARDED[MAIN] | {"advantage"}})
        with pytest.raises(PlanError, match="reward has two sources: .* models.reward is given .* as model_reward"):
            plan(GRPO, REWARDED, given={"reward"})
        with pytest.raises(PlanError, match="ref_logp has two sources: .* models.reference is given"):
            plan(DPO, {MAIN: kind("pairs").tensors | {"ref_logp"}}, given={"reference"})
        assert plan(GRPO, REWARDED, given={"reference"}).loaded == ("policy", "reference")

    def test_a_name_without_a_source_may_be_a_column_of_the_data(self):
        assert made(loss=Term(reinforce, reduce=TOKEN_MEAN)).columns == {"advantage": "T"}
        assert GRPO.columns == {"reward": "B"}
        assert DPO.columns == {}

    @pytest.mark.paper("000-text:Nash-LHF")
    def test_who_writes_answers_is_loaded(self):
        mixed = replace(NASH_MD, derived={"advantage": at_every_token})
        assert plan(mixed, REWARDED).loaded == ("policy", "reference")

    def test_what_an_average_follows_is_loaded_and_the_average_not_trained(self):
        made = plan(replace(DPO, averages={"reference": Average("policy", 0.9)}))
        assert (made.trained, made.loaded) == (("policy",), ("policy", "reference"))

    def test_a_term_of_weight_zero_costs_nothing(self):
        off = replace(GRPO, loss=GRPO.loss | {"kl": replace(GRPO.loss["kl"], weight=0.0)})
        assert "reference" not in plan(off).loaded
        assert list(plan(off).terms[MAIN]) == ["policy"]


class TestTimes:
    def test_of_ppo(self):
        assert at(PPO, When.ONCE) == {"old_logp", "ref_logp", "old_value", "reward"}
        assert at(PPO, When.LIVE) == {"logp", "value", "entropy"}
        assert at(PPO, When.STEP) == set()
        assert [n for n, _ in plan(PPO).derived[When.ONCE]] == ["token_reward", "credit", "advantage", "returns"]

    def test_of_kto(self):
        """The reference point belongs to the optimiser step, and to the mismatched answers."""
        assert at(KTO, When.STEP, "mismatched") == {"logp"}
        assert at(KTO, When.LIVE, "mismatched") == set()
        assert at(KTO, When.ONCE, "mismatched") == {"ref_logp"}
        assert plan(KTO).derived == {When.STEP: (("reference_point", "mismatched"),)}

    def test_of_what_is_made_after_the_passes(self):
        assert at(PPO_PENALTY, When.END) == {"logp"}
        assert plan(PPO_PENALTY).derived[When.END] == (("penalty_weight", MAIN),)

    def test_order_is_that_of_need(self):
        order = [n for n, _ in plan(SAFE).derived[When.ONCE]]
        for name, derived in SAFE.derived.items():
            read = {n for n in derived.part.needs if n in SAFE.derived}
            assert all(order.index(n) < order.index(name) for n in read)
        assert sorted(order) == sorted(SAFE.derived)

    def test_a_frozen_model_may_be_read_live_at_any_time(self):
        field = {"ref_now": Field("T", "reference log-prob", Source("reference", "logp", When.LIVE))}
        method = made(
            fields=field,
            derived={"advantage": part(whiten, credit="ref_now")},
            loss=Term(reinforce, reduce=TOKEN_MEAN),
        )
        assert at(method, When.ONCE) == {"ref_now"}
        averaged = replace(method, averages={"reference": Average("policy", 0.9)})
        with pytest.raises(PlanError, match="which changes with every optimiser step"):
            plan(averaged)


class TestCuts:
    def test_rows_stay_together_where_something_reads_their_tie_after_the_cut(self):
        assert plan(DPO).links(MAIN) == {"pairs"}
        assert plan(GRPO).links(MAIN) == frozenset()
        list_loss = Term(part(listwise, score=log_ratio))
        assert plan(made(loss=list_loss)).links(MAIN) == {"group"}

    def test_tensors_that_are_not_read_after_the_cut_stay_behind(self):
        assert "group" not in plan(GRPO).after[MAIN]
        assert "reward" not in plan(GRPO).after[MAIN]
        assert {"advantage", "ref_logp", "temperature"} <= plan(GRPO).after[MAIN]

    def test_each_stream_has_its_own(self):
        assert "advantage" not in plan(PPO_PTX).after["pretrain"]
        assert list(plan(PPO_PTX).terms["pretrain"]) == ["pretrain"]


class TestTwins:
    def test_one_step_per_batch_makes_old_logp_free(self):
        once = replace(GRPO, passes=1, minibatches=1)
        assert plan(once).free[MAIN] == {"old_logp"}
        assert "old_logp" not in at(once, When.ONCE)
        assert plan(once).twins[MAIN] == {"old_logp": "logp"}

    def test_not_if_the_policy_moves_in_between(self):
        twice = replace(GRPO, minibatches=2)
        assert plan(twice).free[MAIN] == frozenset()
        assert "old_logp" in at(twice, When.ONCE)

    def test_not_if_something_reads_it_before_the_loss(self):
        assert plan(replace(PPO, passes=1)).free[MAIN] == frozenset()


class TestMetrics:
    def test_never_cost_a_forward(self):
        for path in catalogue.paths():
            method = catalogue.load(path)
            bare = replace(method, metrics={})
            for (when, stream), wants in plan(method).forwards.items():
                models = {s.model for s in wants.values()}
                assert models == {s.model for s in plan(bare).forwards[when, stream].values()}, path
                if when is not When.LIVE:
                    assert wants == plan(bare).forwards[when, stream], path

    def test_a_metric_without_its_tensors_is_left_out(self):
        assert {"kl", "entropy"} <= set(plan(GRPO).metrics[MAIN])
        off = replace(GRPO, loss=without(GRPO.loss, "kl"))
        assert "kl" not in plan(off).metrics[MAIN]
        assert "entropy" in plan(off).metrics[MAIN]

    def test_one_number_for_the_batch_reads_only_what_is_there_before_the_passes(self):
        assert "value/explained_var" in plan(PPO).metrics[MAIN]

    def test_a_metric_does_not_decide_how_the_batch_is_cut(self):
        ratio = Term(part(listwise, score=log_ratio))
        method = replace(GRPO, metrics={"list": ratio})
        assert plan(method).links(MAIN) == frozenset()
        assert "list" not in plan(method).metrics[MAIN]

    def test_a_metric_of_another_stream_reads_that_stream(self):
        method = replace(PPO_PTX, metrics={"text": Term(nll, reduce=TOKEN_MEAN, over="pretrain")})
        assert list(plan(method).metrics["pretrain"]) == ["text"]


def test_a_plan_pickles():
    for path in catalogue.paths():
        made = plan(catalogue.load(path))
        assert pickle.loads(pickle.dumps(made)) == made


def test_a_plan_does_not_depend_on_the_order_of_a_set():
    """Names are visited sorted: another hash seed must not change the order of sums."""
    wants = plan(SAFE).forwards[When.LIVE, MAIN]
    assert list(wants) == list(plan(SAFE).forwards[When.LIVE, MAIN])
    assert plan(SAFE).trained == tuple(sorted(plan(SAFE).trained))


WRONG = {
    "nothing provides it": (
        lambda: made(loss=Term(reinforce, reduce=TOKEN_MEAN)),
        r"loss 'loss' reads advantage \[T\] \(credit of each token\); nothing provides it in stream 'main', "
        r"whose records are 'prompts' and bring .*Add a column 'advantage' to the data, or "
        r"derived=\{'advantage': part\(...\)\}",
        REWARDED,
    ),
    "nothing provides it in that stream": (
        lambda: replace(
            PPO_PTX, loss=PPO.loss | {"pretrain": Term(part(nll, logp="rollout_logp"), 1.0, TOKEN_MEAN, "pretrain")}
        ),
        r"nothing provides it in stream 'pretrain', whose records are 'text'",
    ),
    "the data lacks it": (
        lambda: replace(GRPO, derived={"advantage": part(likes)}),
        "advantage reads label .* nothing provides it",
        REWARDED,
    ),
    "once reads what moves": (
        lambda: replace(GRPO, derived={"advantage": part(leaky)}),
        r"advantage is computed once per batch but reads logp, which changes with every optimiser step; "
        r"read old_logp instead, or recompute it each step: Derived\(part\(...\), each='step'\)",
    ),
    "once reads a step": (
        lambda: replace(GRPO, derived={"advantage": part(whiten, credit="z"), "z": Derived(leaky, each="step")}),
        "advantage is computed once per batch but reads z, which is derived each step; derive advantage "
        "each='step' too",
    ),
    "end reads a step": (
        lambda: replace(
            PPO_PENALTY,
            derived=PPO_PENALTY.derived
            | {"penalty_weight": Derived(steered, each="end"), "z": Derived(leaky, each="step")},
        ),
        "penalty_weight is computed after the passes but reads z, which is derived each step",
    ),
    "read by nothing": (
        lambda: replace(GRPO, derived=GRPO.derived | {"advantge": group_standardise}),
        r"derived 'advantge' is read by nothing \(did you mean 'advantage'\?\); remove it",
    ),
    "a cycle": (
        lambda: replace(
            KTO,
            derived={
                "reference_point": Derived(part(follows, b="c")),
                "c": Derived(part(follows, b="reference_point")),
            },
        ),
        "derived tensors read each other: reference_point -> c -> reference_point",
    ),
    "a row of another stream": (
        lambda: replace(PPO_PTX, loss=PPO.loss | {"pretrain": Term(reinforce, 1.0, TOKEN_MEAN, "pretrain")}),
        r"loss 'pretrain' reads advantage \[T\] in stream 'pretrain', but it is derived over \('main',\); "
        r"only scalars cross streams: add over=\('main', 'pretrain'\)",
    ),
    "all words of a batch": (
        lambda: made(
            derived={"z": Derived(part(mean_distance, distance=forward_kl), each="step")},
            loss=Term(kl_k3, "z", TOKEN_MEAN),
        ),
        r"z reads logits, computed once per optimiser step: \[T V\] would be kept for all tokens at once; "
        r"read it in a loss term",
    ),
    "nothing to train": (
        lambda: made(derived={"advantage": at_every_token}, loss=Term(part(nll, logp="advantage"), reduce=TOKEN_MEAN)),
        "no loss term reads a tensor with gradient; logp, value or score is missing",
    ),
    "nothing but what is frozen": (
        lambda: made(loss=Term(part(nll, logp="ref_logp"), reduce=TOKEN_MEAN)),
        "no loss term reads a tensor with gradient",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_computed_says_what_to_do(wrong):
    make, message, *arrives = WRONG[wrong]
    with pytest.raises(PlanError, match=message):
        plan(make(), *arrives)


def test_each_step_is_the_remedy_that_the_error_names():
    method = replace(GRPO, derived={"advantage": Derived(leaky, each="step")})
    assert plan(method).derived[When.STEP] == (("advantage", MAIN),)


def test_until_is_computed_each_step():
    method = replace(PPO, derived=PPO.derived | {"moved": Derived(moved, each="step")}, until="moved")
    assert plan(method).derived[When.STEP] == (("moved", MAIN),)
    assert "logp" in at(method, When.STEP)


def test_gae_of_a_second_critic_reads_its_own_values():
    assert dict(SAFE.derived["cost_credit"].part.binds)["old_value"] == "old_cost_value"
    assert dict(part(gae).binds)["old_value"] == "old_value"


def test_reinforce_reads_no_reference():
    assert plan(REINFORCE, REWARDED).loaded == ("policy",)
