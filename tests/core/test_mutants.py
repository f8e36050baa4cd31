"""Break the core on purpose: the checks of every method must notice."""

from dataclasses import replace

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.optimiser import Optimiser
from posttrain.catalogue import index as catalogue
from posttrain.core import plan as planning
from posttrain.core import reduce as loss
from posttrain.core.batch import Batch
from posttrain.core.method import Derived, Term
from posttrain.core.parts import part
from posttrain.core.rows import Rows
from posttrain.core.weights import Average
from posttrain.formulas.losses.ratings import positive_mean_log_ratio
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.methods.online.nash_md import METHOD as NASH_MD
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.methods.online.ppo_adaptive_kl import METHOD as ADAPTIVE
from posttrain.methods.online.ppo_penalty import METHOD as PENALTY
from posttrain.methods.online.ppo_ptx import METHOD as PPO_PTX
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.methods.preference.kto import METHOD as KTO
from posttrain.training.trainer import Trainer
from tests.harness.cases import SMALL, Case, distance, parameters, size
from tests.harness.independent import Independent
from tests.training.test_trainer import ROBUST

pytestmark = pytest.mark.usefixtures("float64")


def off(a, b, tolerance):
    return distance(a, b) > tolerance


def complains(check: str, of: Case) -> bool:
    """One of the checks of test_gradients, on the library as it is now."""
    match check:
        case "gradient" | "training":
            independent, run = Independent(of), of.trained(2)
            for number in range(2):
                independent.train(number)
            first = run.learner.gradients[0]
            if check == "training":
                return off(parameters(run), independent.parameters(), 1e-9)
            return off(first, independent.first, 1e-12 * max(size(first), 1))
        case "micro-batches" | "row order":
            first = of.trained(1).learner.gradients[0]
            other = of.trained(1, SMALL, None if check == "micro-batches" else 7).learner.gradients[0]
            return off(first, other, 1e-12 * max(size(first), 1))
        case "resume":
            run, half, resumed = of.trained(2), of.trained(1), of.trainer()
            resumed.restore(half.state())
            resumed.train(of.batches())
            return off(parameters(run), parameters(resumed), 0) or run.states != resumed.states
    raise AssertionError(check)


def twice(method):
    return replace(method, passes=2, minibatches=2)


# ---- the mutants


def denominators_of_the_micro_batch(patch):
    original = loss.micro_loss

    def mutant(plan, stream, micro, live, counts, *, fresh):
        return original(plan, stream, micro, live, {t: loss.count(t, micro) for t in counts}, fresh=fresh)

    patch.setattr("posttrain.backends.local.learner.micro_loss", mutant)


def pairs_cut_freely(patch):
    patch.setattr(planning, "LINKS", ())


def twin_although_the_policy_moved(patch):
    patch.setattr(planning, "_free", lambda p, stream, twins: frozenset(twins))


def always_fresh(patch):
    original = loss.with_live
    patch.setattr(loss, "with_live", lambda *a, fresh: original(*a, fresh=True))


def state_not_restored(patch):
    patch.setattr(Trainer, "restore", lambda self, state: self.learner.restore(state["backend"]))


def optimiser_not_restored(patch):
    patch.setattr(Optimiser, "restore", lambda self, state: None)


def average_not_restored(patch):
    patch.setattr("posttrain.backends.local.average.Follower.restore", lambda self, state: None)
    original = LocalLearner.state

    def without_averages(self):
        state = original(self)
        kept = {r: w for r, w in state["models"].items() if r not in self.averages}
        return state | {"models": kept}

    patch.setattr(LocalLearner, "state", without_averages)


def untrained_rows_counted(patch):
    patch.setattr(Rows, "trained", property(lambda self: torch.ones(self.count, dtype=torch.bool)))


def credit_across_tool_tokens(patch):
    patch.setattr(Rows, "next", lambda self, x: torch.cat([x[1:], x[:1] * 0]))


def credit_across_rows(patch):
    def mutant(self, x, rate):
        one = Rows(torch.zeros_like(self.index), self.mask, 1)
        return original(one, x, rate)

    original = Rows.discount
    patch.setattr(Rows, "discount", mutant)


def mask_ignored(patch):
    patch.setattr(Rows, "sum", lambda self, x: torch.zeros(self.count).index_add(0, self.index, x))


def whole_loss_per_micro_batch(patch):
    patch.setattr(Term, "whole", False)


def second_stream_dropped(patch):
    patch.setattr(loss, "weight", lambda term, batch: 0.0 if term.over != "main" else term.weight)


def minibatches_by_position(patch):
    def mutant(self, links, hands, seed):
        units = self.units(links)
        cuts = [i * len(units) // hands for i in range(hands + 1)]
        return [self.select([r for u in units[a:b] for r in u]) for a, b in zip(cuts, cuts[1:], strict=False)]

    patch.setattr(Batch, "deal", mutant)


def gradient_kept_after_the_step(patch):
    original = Optimiser.zero

    def mutant(self):
        kept = [p.grad for p in self.parameters]
        original(self)
        for p, grad in zip(self.parameters, kept, strict=True):
            p.grad = grad

    patch.setattr(Optimiser, "zero", mutant)


def a_model_forgotten(patch):
    original = LocalLearner.step

    def mutant(self, rates):
        for p in self.optimisers["critic"].parameters:
            p.grad = None
        return original(self, rates)

    patch.setattr(LocalLearner, "step", mutant)


def clipping_left_on(patch):
    original = Optimiser.step

    def mutant(self, rate, norm):
        for grad in (m.grad for m in self.param_states if m.grad is not None):
            grad.mul_((0.5 / norm).clamp(max=1))
        original(self, rate, norm)

    patch.setattr(Optimiser, "step", mutant)


KTO_ONCE = replace(
    KTO, derived={"reference_point": Derived(part(positive_mean_log_ratio, logp="old_logp"), over="mismatched")}
)
FOLLOWED = replace(DPO, name="followed", averages={"reference": Average("policy", 0.5)})
SHARED = Case(twice(PPO), shared=True)

MUTANTS = {  # a case, how to break the library (or nothing: the method itself is broken), which check must complain
    "denominators of the micro-batch": (Case(GRPO), denominators_of_the_micro_batch, "micro-batches"),
    "pairs cut freely": (Case(DPO), pairs_cut_freely, "micro-batches"),
    "a twin although the policy moved": (Case(twice(GRPO)), twin_although_the_policy_moved, "training"),
    "always fresh": (Case(twice(GRPO)), always_fresh, "training"),
    "state not restored": (Case(ADAPTIVE), state_not_restored, "resume"),
    "end state not restored": (Case(PENALTY), state_not_restored, "resume"),
    "optimiser not restored": (Case(SFT), optimiser_not_restored, "resume"),
    "average not restored": (Case(FOLLOWED), average_not_restored, "resume"),
    "untrained rows counted": (Case(NASH_MD), untrained_rows_counted, "gradient"),
    "credit across tool tokens": (Case(PPO), credit_across_tool_tokens, "gradient"),
    "credit across rows": (Case(PPO), credit_across_rows, "gradient"),
    "mask ignored": (Case(catalogue.load("preference/simpo")), mask_ignored, "gradient"),
    "whole loss per micro-batch": (Case(ROBUST), whole_loss_per_micro_batch, "micro-batches"),
    "second stream dropped": (Case(PPO_PTX), second_stream_dropped, "gradient"),
    "a step's statistic once per batch": (Case(twice(KTO_ONCE)), None, "training"),
    "minibatches by position": (Case(twice(SFT)), minibatches_by_position, "row order"),
    "gradient kept after the step": (Case(SFT), gradient_kept_after_the_step, "training"),
    "a model forgotten": (Case(PPO), a_model_forgotten, "training"),
    "clipping left on": (SHARED, clipping_left_on, "training"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_is_caught(mutant, monkeypatch):
    case, break_it, check = MUTANTS[mutant]
    if break_it:
        assert not complains(check, case)
        break_it(monkeypatch)
    try:
        caught = complains(check, case)
    except ValueError as error:
        caught = "a pair was cut in two" in str(error)
    assert caught


def test_where_once_and_step_agree_nothing_complains():
    assert not complains("training", Case(replace(KTO_ONCE, passes=1, minibatches=1)))
