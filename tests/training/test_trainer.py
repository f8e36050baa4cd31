"""The promises of the trainer: only the forwards that are needed, states at their time, nothing hangs on a cut."""

import math
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.core.batch import Batch
from posttrain.core.method import MAIN, TOKEN_MEAN, Derived, Method, Stream, Term, without
from posttrain.core.parts import PerPair, PerRow, PerToken, Scalar, State, part
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.core.weights import Average
from posttrain.data.collate import collate
from posttrain.errors import NumericsError
from posttrain.formulas.losses.scores import log_ratio, nll
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.methods.online.ppo_penalty import METHOD as PPO_PENALTY
from posttrain.methods.online.ppo_ptx import METHOD as PPO_PTX
from posttrain.methods.online.reinforce import METHOD as REINFORCE
from posttrain.methods.online.safe_rlhf import METHOD as SAFE
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.methods.preference.kto import METHOD as KTO
from posttrain.methods.preference.simpo import METHOD as SIMPO
from posttrain.records import Row
from posttrain.training.trainer import Trainer
from tests.harness.cases import LARGE, ROLES, SMALL, Case, distance, networks, parameters, size
from tests.harness.recorder import Recorder

pytestmark = pytest.mark.usefixtures("float64")
HERE = Path(__file__).parents[1]


# ---- parts of imaginary users


def steps_seen(state: State | None, logp: PerToken) -> tuple[State, Scalar]:
    """How many optimiser steps were begun."""
    seen = 1.0 if state is None else state["seen"] + 1
    return {"seen": seen}, logp.new_tensor(seen)


def beyond(seen: Scalar, *, limit: float) -> Scalar:
    return (seen > limit).double()


def difference(logp: PerToken, old_logp: PerToken) -> PerToken:
    return (logp - old_logp).abs()


def robust(losses: PerPair) -> Scalar:
    """-log mean exp(-l): DR-DPO with beta' = 1."""
    return -((-losses).logsumexp(0) - math.log(len(losses)))


def tilt(losses: PerPair) -> PerPair:
    return (-losses).softmax(0) * len(losses)


def times(x: PerPair, pair_weight: PerPair) -> PerPair:
    return x * pair_weight


def world(logp: PerToken, written: Rows, rows: Rows) -> PerRow:
    """-log-prob of what was written and is not trained."""
    return rows.sum(logp) - written.sum(logp)


def linear(step, *, start: float, slope: float) -> Scalar:
    return torch.tensor(start + slope * step)


def group_softmax(score: PerRow, group: PerRow, label: PerRow) -> PerRow:
    """Cross-entropy between softmax(label) and softmax(score) within each group."""
    same = group[:, None] == group[None, :]
    target = label.double()
    log_p = score - torch.where(same, score[None, :], -torch.inf).logsumexp(1)
    return -(target - torch.where(same, target[None, :], -torch.inf).logsumexp(1)).exp() * log_p


ROBUST = replace(DPO, name="robust", loss=Term(part(robust, losses=DPO.loss["loss"].part)))


def per_step(trainer, batches):
    """The metrics of every optimiser step of one batch."""
    steps, original = [], trainer._step
    trainer._step = lambda *a, **k: steps.append(original(*a, **k)) or steps[-1]
    trainer.train(batches)
    return steps


def model_rows(method, **changes):
    """Rows that went through a model in one batch, by (role.output, with gradient)."""
    case = Case(replace(method, **changes))
    return dict(case.trained(1, SMALL).learner.calls)


class TestEconomy:
    """Only what is needed is computed. The streams hold 12 rows, the second one 8."""

    policy, frozen = ("policy.logp", True), ("policy.logp", False)

    def test_offline(self):
        assert model_rows(SIMPO) == {self.policy: 12}
        assert model_rows(DPO) == {self.policy: 12, ("reference.logp", False): 12}
        assert model_rows(KTO) == {self.policy: 12, self.frozen: 8, ("reference.logp", False): 20}

    def test_old_logp_costs_nothing_with_one_step_per_batch(self):
        measured = {("reference.logp", False): 12, ("reward.score", False): 12}
        free = {self.policy: 12, ("policy.entropy", True): 12}
        assert model_rows(GRPO) == measured | free
        assert model_rows(GRPO, passes=2) == measured | dict.fromkeys(free, 24) | {self.frozen: 12}

    def test_metrics_cost_nothing_but_another_head_of_the_same_forward(self):
        assert model_rows(GRPO, metrics={}) == {
            self.policy: 12,
            ("reference.logp", False): 12,
            ("reward.score", False): 12,
        }

    def test_a_switched_off_term_takes_its_model_with_it(self):
        off = configure(GRPO, {"kl.weight": 0.0})
        trainer = Case(off).trained(1)
        assert ("reference.logp", False) not in trainer.learner.calls
        assert "kl" not in trainer.train(Case(off).batches())

    @pytest.mark.paper("000:[82]")
    def test_a_shared_trunk_runs_once(self):
        calls = []
        nets = networks(shared=True)
        original = nets["policy"].outputs
        nets["policy"].outputs = lambda *a, **k: calls.append(a[2]) or original(*a, **k)
        case = Case(replace(PPO, passes=1), shared=True)
        Trainer(plan(case.method, case.batches()), Recorder(nets), rates=lambda _: dict.fromkeys(ROLES, 0.0)).train(
            case.batches()
        )
        assert [sorted(names) for names in calls] == [["logp", "value"], ["entropy", "logp", "value"]]

    def test_opponents_are_dropped_before_the_update(self):
        remax = catalogue.load("online/remax")
        assert model_rows(remax)[self.policy] == 9
        assert model_rows(remax)["reference.logp", False] == 12


class TestRatio:
    @pytest.mark.parametrize(("passes", "minibatches"), [(1, 1), (2, 1), (2, 2)])
    @pytest.mark.parametrize("tokens", [LARGE, SMALL])
    def test_before_the_first_step_it_is_exactly_one(self, passes, minibatches, tokens):
        metrics = {"difference": Term(difference, reduce=TOKEN_MEAN)}
        case = Case(replace(GRPO, passes=passes, minibatches=minibatches, metrics=metrics))
        trainer = case.trainer(tokens)
        for _ in range(2):
            seen = [m["difference"] for m in per_step(trainer, case.batches())]
            assert seen[0] == 0
            assert all(x > 0 for x in seen[1:])
            assert len(seen) == passes * minibatches

    def test_a_free_old_logp_equals_a_measured_one(self):
        free, measured = (Case(replace(GRPO, passes=n)).trained(1).learner for n in (1, 2))
        assert ("policy.logp", False) not in free.calls
        assert ("policy.logp", False) in measured.calls
        assert distance(free.gradients[0], measured.gradients[0]) < 1e-12


class TestUntil:
    def stopping(self, limit):
        seen = {"seen": Derived(steps_seen, each="step"), "enough": Derived(part(beyond, limit=limit), each="step")}
        return Case(replace(PPO, passes=2, minibatches=2, derived=PPO.derived | seen, until="enough"))

    def test_stops_the_passes_and_keeps_the_state_of_the_step_that_was_not_taken(self):
        case = self.stopping(3)
        trainer = case.trainer()
        metrics = trainer.train(case.batches())
        assert metrics["optimiser_steps"] == 3
        assert trainer.states["seen"] == {"seen": 3}
        assert len(trainer.learner.gradients) == 3

    def test_before_the_first_step_nothing_moves(self):
        case = self.stopping(0)
        trainer = case.trainer()
        before = parameters(trainer)
        assert trainer.train(case.batches())["optimiser_steps"] == 0
        assert distance(before, parameters(trainer)) == 0
        assert "seen" not in trainer.states

    def test_never_reached_it_changes_nothing(self):
        case = self.stopping(99)
        plain = Case(replace(PPO, passes=2, minibatches=2))
        assert distance(parameters(case.trained(2)), parameters(plain.trained(2))) == 0


class TestEnd:
    def weights(self, target, batches=3):
        case = Case(configure(PPO_PENALTY, {"doubling_kl.target": target}))
        trainer = case.trainer()
        return [trainer.train(case.batches())["penalty_weight"] for _ in range(batches)], trainer

    def test_the_coefficient_doubles_after_the_passes_that_went_too_far(self):
        assert self.weights(-1e6)[0] == [1, 2, 4]  # any distance is too far

    def test_and_halves_after_those_that_did_not(self):
        assert self.weights(1e6)[0] == [1, 0.5, 0.25]

    def test_it_survives_a_save(self):
        _, trainer = self.weights(-1e6)
        case = Case(configure(PPO_PENALTY, {"doubling_kl.target": -1e6}))
        resumed = case.trainer()
        resumed.restore(pickle.loads(pickle.dumps(trainer.state())))
        assert resumed.train(case.batches())["penalty_weight"] == 8

    def test_it_is_measured_on_the_policy_after_the_last_step(self):
        case = Case(PPO_PENALTY)
        trainer = case.trainer()
        ends = []
        original = trainer.learner.forward

        def forward(batch, wants):
            made = original(batch, wants)
            if "old_logp" in batch and set(wants) == {"logp"}:
                ends.append(float((batch["old_logp"] - made["logp"])[batch["rows"].mask].mean()))
                assert len(trainer.learner.gradients) == 4
            return made

        trainer.learner.forward = forward
        trainer.train(case.batches())
        assert len(ends) == 1
        assert ends[0] != 0


class TestStep:
    def test_the_reference_point_is_made_anew_before_every_step(self):
        case = Case(replace(KTO, passes=2, minibatches=2))
        trainer, points = case.trainer(), []
        original = trainer.accumulate
        trainer.accumulate = lambda minis, *a, **k: (
            points.append(float(minis[MAIN]["reference_point"])) or original(minis, *a, **k)
        )
        trainer.train(case.batches())
        assert len(set(points)) == 4

    def test_it_is_a_number_of_the_whole_minibatch(self):
        case = Case(KTO)
        trainer, points = case.trainer(SMALL), []
        original = trainer.learner.accumulate
        trainer.learner.accumulate = lambda p, s, mini, *a, **k: (
            points.append(float(mini["reference_point"])) or original(p, s, mini, *a, **k)
        )
        trainer.train(case.batches())
        nets, b = networks(), case.batches()["mismatched"]
        with torch.no_grad():
            new, ref = (nets[r].outputs(b["tokens"], b["rows"], ["logp"])["logp"] for r in ("policy", "reference"))
        assert points == [pytest.approx(max(0.0, float(b["rows"].sum(new - ref).mean())))]


class TestWhole:
    """A loss that mixes rows is differentiated on the whole minibatch, however it is cut."""

    def test_it_is_exact_under_micro_batches_and_row_order(self):
        first = Case(ROBUST).trained(1).learner.gradients[0]
        for tokens, order in ((Case(ROBUST).smallest(), None), (SMALL, 7)):
            assert distance(first, Case(ROBUST).trained(1, tokens, order).learner.gradients[0]) < 1e-12 * size(first)

    def test_it_equals_detached_weights_that_are_derived_each_step(self):
        inner = DPO.loss["loss"].part
        derived = {"pair_weight": Derived(part(tilt, losses=inner), each="step")}
        tilted = replace(DPO, name="tilted", derived=derived, loss=Term(part(times, x=inner)))
        runs = [Case(replace(m, passes=2, minibatches=2)).trained(2, SMALL) for m in (ROBUST, tilted)]
        assert distance(*(parameters(r) for r in runs)) < 1e-9

    def test_it_shares_a_forward_with_other_terms(self):
        both = replace(ROBUST, loss=ROBUST.loss | {"imitation": Term(nll, 0.3, TOKEN_MEAN)})
        alone = replace(ROBUST, loss=Term(nll, 0.3, TOKEN_MEAN))
        mixed, one, two = (Case(m).trained(1, SMALL).learner.gradients[0] for m in (both, ROBUST, alone))
        assert one.keys() | two.keys() == mixed.keys()
        added = {k: one.get(k, torch.zeros(())) + two.get(k, torch.zeros(())) for k in mixed}
        assert distance(mixed, added) < 1e-12 * size(mixed)
        assert Case(both).trained(1, SMALL).learner.calls["policy.logp", True] == 12

    def test_its_value_is_reported(self):
        metrics = Case(ROBUST).trainer(SMALL).train(Case(ROBUST).batches())
        assert 0 < metrics["loss"] < 2
        assert "loss/loss" not in metrics  # it would repeat the loss
        halved = replace(ROBUST, loss=replace(ROBUST.loss["loss"], weight=0.5))
        metrics = Case(halved).trainer(SMALL).train(Case(halved).batches())
        assert metrics["loss"] == pytest.approx(0.5 * metrics["loss/loss"])

    def test_a_listwise_loss_keeps_groups_whole_instead(self):
        method = Method(
            name="listwise", streams=Stream("prompts"), loss=Term(part(group_softmax, score=log_ratio, label="reward"))
        )
        first = Case(method).trained(1).learner.gradients[0]
        assert distance(first, Case(method).trained(1, Case(method).smallest()).learner.gradients[0]) < 1e-12
        assert distance(first, Case(method).trained(1, order=3).learner.gradients[0]) < 1e-12


class TestMasks:
    def test_what_is_written_and_not_trained_can_be_learnt_from(self):
        rows = [
            Row(0, (1, 2, 3, 4), (False, False, True, False), (False, False, True, True)),
            Row(1, (5, 6, 7), (False, False, True), (False, True, True)),
        ]
        method = Method(name="world", streams=Stream("demonstrations"), loss=Term(world))
        nets = networks()
        backend = Recorder(nets, tokens_per_device=4)
        batch = collate(rows)
        with torch.no_grad():
            logp = nets["policy"].outputs(batch["tokens"], batch["rows"], ["logp"])["logp"]
        trainer = Trainer(plan(method, {MAIN: set(batch)}), backend, rates=lambda _: {"policy": 0.0})
        assert trainer.train({MAIN: batch})["loss"] == pytest.approx(-float(logp[3] + logp[5]) / 2)
        assert size(backend.gradients[0]) > 1e-3

    def test_nan_outside_the_mask_is_harmless(self):
        """0 * NaN is NaN in a backward pass: a stored log-prob of a prompt token must not poison the gradient."""
        method = replace(GRPO, passes=2)
        stored = []
        for hole in (0.0, math.nan, math.inf):
            case = Case(method)
            for r in case.data[MAIN]:
                clean = [-0.1 * t for t in r["tokens"]]
                r["ref_logp"] = r["old_logp"] = [x if m else hole for x, m in zip(clean, r["mask"], strict=True)]
            stored.append(parameters(case.trained(1, SMALL)))
        assert distance(stored[0], stored[1]) == 0
        assert distance(stored[0], stored[2]) == 0

    @pytest.mark.fault("N7")
    def test_untrained_rows_change_nothing(self):
        remax = catalogue.load("online/remax")
        metrics = Case(remax).trainer().train(Case(remax).batches())
        more = Case(remax)
        spare = more.data[MAIN][0] | {"id": 999_999}  # another greedy answer, the same as the first
        more.data[MAIN].append(spare)
        assert more.trainer().train(more.batches())["loss"] == pytest.approx(metrics["loss"], abs=1e-12)


class TestNumerics:
    def broken(self):
        case = Case(REINFORCE)
        case.data[MAIN][5]["reward"] = math.nan
        return case

    @pytest.mark.fault("N1")
    def test_a_loss_that_is_not_finite_stops_before_anything_moves(self):
        case = self.broken()
        trainer = case.trained(0)
        trainer.train(Case(REINFORCE).batches())
        before, saved = parameters(trainer), trainer.learner.state()
        with pytest.raises(NumericsError, match=r"step 1: the loss of reinforce is nan \(loss/loss\); nothing was"):
            trainer.train(case.batches())
        assert distance(before, parameters(trainer)) == 0
        one, two = saved["optimisers"]["policy"], optimiser(trainer)
        assert one["steps"] == two["steps"]
        assert all(map(torch.equal, (*one["means"], *one["squares"]), (*two["means"], *two["squares"])))
        assert all(p.grad is None for p in trainer.learner.models["policy"].parameters())
        assert trainer.batch_number == 1

    @pytest.mark.fault("N2")
    def test_a_gradient_that_is_not_finite_moves_no_model_at_all(self):
        case = Case(replace(PPO, passes=1))
        trainer = case.trainer()
        trainer.learner.models["policy"].lm.weight.register_hook(lambda g: g * math.inf)
        before = parameters(trainer)
        with pytest.raises(NumericsError, match=r"gradient norm is not finite \(policy: (nan|inf)\); nothing was"):
            trainer.train(case.batches())
        assert distance(before, parameters(trainer)) == 0  # the critic, whose gradient is fine, included
        assert all(p.grad is None for p in trainer.learner.models["critic"].parameters())

    @pytest.mark.fault("N1")
    @pytest.mark.parametrize("failure", ["loss", "gradient", "interrupt"])
    def test_a_failed_batch_leaves_no_trace_and_can_be_tried_again(self, failure, monkeypatch):
        """Statistics of the batch (the moving baseline) and of the step (a count), the gradient, the seed."""
        seen = {"seen": Derived(steps_seen, each="step"), "never": Derived(part(beyond, limit=9.0), each="step")}
        case = Case(replace(REINFORCE, derived=REINFORCE.derived | seen, until="never"))
        trainer = case.trained(1)
        failing, untroubled = trainer.state(), case.trained(2)
        with monkeypatch.context() as broken:
            _break(trainer.learner, failure, broken)
            with pytest.raises((NumericsError, KeyboardInterrupt)):
                trainer.train(case.batches())
        assert trainer.states == failing["states"]
        assert set(trainer.states) == {"baseline", "seen"}
        assert all(p.grad is None for p in trainer.learner.models["policy"].parameters())
        trainer.train(case.batches())
        assert trainer.states == untroubled.states
        assert distance(parameters(trainer), parameters(untroubled)) == 0


def _break(backend, failure, monkeypatch):
    """The loss is NaN, or the gradient, or someone presses Ctrl-C: each when the gradient has been gathered."""
    accumulate = backend.accumulate

    def broken(*arguments, **more):
        share = accumulate(*arguments, **more)
        if failure == "interrupt":
            raise KeyboardInterrupt
        if failure == "gradient":
            next(p for p in backend.models["policy"].parameters() if p.grad is not None).grad[0] = math.nan
        return replace(share, loss=math.nan) if failure == "loss" else share

    monkeypatch.setattr(backend, "accumulate", broken)


def optimiser(trainer):
    return trainer.learner.state()["optimisers"]["policy"]


class TestModels:
    def test_safe_rlhf_trains_three(self):
        case = Case(SAFE)
        start, end = parameters(case.trainer()), parameters(case.trained(1))
        moved = {n.split(".")[0] for n in start if not torch.equal(start[n], end[n])}
        assert moved == {"policy", "critic", "cost_critic"}

    def test_the_others_stay_what_they_are(self):
        trainer, fresh = Case(SAFE).trained(1), networks()
        for role in ("reference", "reward", "cost"):
            mine, theirs = (dict(n[role].named_parameters()) for n in (trainer.learner.models, fresh))
            assert distance(mine, theirs) == 0

    def test_an_average_follows_the_policy(self):
        case = Case(replace(DPO, averages={"reference": Average("policy", 0.9)}))
        trainer = case.trainer()
        start = parameters(trainer)
        expected = {n.removeprefix("policy."): x.clone() for n, x in start.items()}
        for _ in range(3):
            trainer.train(case.batches())
            for n, x in parameters(trainer).items():
                n = n.removeprefix("policy.")
                expected[n] = 0.9 * expected[n] + 0.1 * x
        average = dict(trainer.learner.models["reference"].named_parameters())
        assert distance(average, expected) < 1e-14
        assert distance(start, parameters(trainer)) > 1e-3

    def test_a_resumed_average_continues_bit_for_bit(self):
        case = Case(replace(DPO, averages={"reference": Average("policy", 0.9)}))
        whole, half = case.trained(4), case.trained(2)
        resumed = case.trainer()
        resumed.restore(half.state())
        for _ in range(2):
            resumed.train(case.batches())
        assert distance(parameters(whole), parameters(resumed)) == 0


class TestControl:
    def test_a_schedule_is_a_scalar_that_reads_the_step(self):
        weight = {"w": part(linear, start=0.04, slope=-0.01)}
        loss = GRPO.loss | {"kl": replace(GRPO.loss["kl"], weight="w")}
        case = Case(replace(GRPO, derived=GRPO.derived | weight, loss=loss))
        trainer = case.trainer()
        assert [round(trainer.train(case.batches())["w"], 9) for _ in range(3)] == [0.04, 0.03, 0.02]
        assert distance(case.trained(1).learner.gradients[0], Case(GRPO).trained(1).learner.gradients[0]) < 1e-14

    def test_a_critic_can_warm_up_while_the_policy_stays_put(self):
        gate = {"gate": part(linear, start=0.0, slope=1.0)}
        loss = PPO.loss | {"policy": replace(PPO.loss["policy"], weight="gate")}
        case = Case(replace(PPO, derived=PPO.derived | gate, loss=loss, passes=1))
        trainer = case.trainer()
        moved = []
        for _ in range(2):
            before = parameters(trainer)
            trainer.train(case.batches())
            after = parameters(trainer)
            moved.append(
                {
                    r: max(float((before[n] - x).abs().max()) for n, x in after.items() if n.startswith(r))
                    for r in trainer.plan.trained
                }
            )
        assert moved[0]["policy"] == 0 < moved[0]["critic"]
        assert moved[1]["policy"] > 0

    def test_rates_are_asked_for_each_batch_and_role(self):
        case = Case(replace(PPO, passes=1))
        trainer = case.trainer()
        trainer.rates = lambda step: {"policy": 0.0, "critic": 0.1 * (step == 1)}
        start = parameters(trainer)
        trainer.train(case.batches())
        assert distance(start, parameters(trainer)) == 0
        trainer.train(case.batches())
        moved = {n.split(".")[0] for n, x in parameters(trainer).items() if not torch.equal(x, start[n])}
        assert moved == {"critic"}

    def test_the_seed_deals_the_minibatches(self):
        case = Case(replace(SFT, passes=2, minibatches=3))
        runs = {}
        for name, seed in (("one", 5), ("again", 5), ("other", 6)):
            trainer = case.trainer()
            trainer.seed = seed
            trainer.train(case.batches())
            runs[name] = parameters(trainer)
        assert distance(runs["one"], runs["again"]) == 0
        assert distance(runs["one"], runs["other"]) > 1e-6


class TestMetrics:
    @pytest.mark.parametrize("method", [GRPO, replace(PPO, passes=1), DPO, KTO, PPO_PTX], ids=lambda m: m.name)
    def test_do_not_depend_on_the_cut(self, method):
        one, many = (Case(method).trainer(t).train(Case(method).batches()) for t in (LARGE, SMALL))
        assert one.keys() == many.keys()
        assert one == pytest.approx(many, rel=1e-10, abs=1e-12)

    def test_of_ppo(self):
        metrics = Case(PPO).trainer().train(Case(PPO).batches())
        assert set(metrics) >= {"loss", "grad_norm", "loss/policy", "loss/value", "optimiser_steps"}
        assert set(metrics) >= {"kl", "clip_ratio/region_mean", "value/explained_var"}
        assert 0 < metrics["entropy"] < math.log(8)
        assert metrics["loss"] == pytest.approx(metrics["loss/policy"] + 0.1 * metrics["loss/value"])

    def test_what_the_data_does_not_bring_is_left_out(self):
        metrics = Case(GRPO).trainer().train(Case(GRPO).batches())
        assert "sampling/logp_difference" not in metrics  # these rows carry no rollout_logp
        assert "kl" not in Case(replace(GRPO, loss=without(GRPO.loss, "kl"))).trainer().train(Case(GRPO).batches())

    def test_do_not_change_the_training(self):
        bare = replace(PPO, metrics={})
        assert distance(parameters(Case(PPO).trained(2)), parameters(Case(bare).trained(2))) < 1e-12

    def test_grad_norm_is_that_of_the_policy_before_clipping(self):
        case = Case(replace(PPO, passes=1))
        trainer = case.trainer(max_grad_norm=1e-3)
        norm = trainer.train(case.batches())["grad_norm"]
        policy = [g for n, g in trainer.learner.gradients[0].items() if n.startswith("policy.")]
        assert norm == pytest.approx(float(torch.cat([g.reshape(-1) for g in policy]).norm()))
        assert norm > 1e-2


def test_a_saved_run_continues_in_another_process_bit_for_bit():
    """With another hash seed, so that no order may come from a set."""
    methods = ("online/safe_rlhf", "preference/kto")
    states, here = {}, {}
    for path in methods:
        case = Case(catalogue.load(path))
        trainer = case.trained(1, SMALL)
        states[path] = trainer.state()
        trainer.train(case.batches())
        here[path] = parameters(trainer)
    code = (
        "import pickle, sys, torch; torch.set_default_dtype(torch.float64); torch.set_num_threads(1)\n"
        "from posttrain.catalogue import index as catalogue\nfrom tests.harness.cases import *\n"
        "out = {}\n"
        "for path, state in pickle.load(sys.stdin.buffer).items():\n"
        "    case = Case(catalogue.load(path)); trainer = case.trainer(SMALL); trainer.restore(state)\n"
        "    trainer.train(case.batches()); out[path] = parameters(trainer)\n"
        "sys.stdout.buffer.write(pickle.dumps(out))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(states),
        capture_output=True,
        check=True,
        cwd=HERE.parent,
        env=os.environ | {"PYTHONHASHSEED": "1"},
    )
    there = pickle.loads(made.stdout)
    assert all(distance(here[p], there[p]) == 0 for p in methods)


def test_batches_are_not_changed_by_training():
    case = Case(PPO)
    batches = case.batches()
    before = {n: x.clone() for n, x in batches[MAIN].items() if isinstance(x, torch.Tensor)}
    case.trainer().train(batches)
    assert isinstance(batches[MAIN], Batch)
    assert set(before) | {"rows", "written", "max_tokens"} == set(batches[MAIN])
    assert all(torch.equal(before[n], batches[MAIN][n]) for n in before)
