"""One process, one device: models by role, measuring in pieces, state."""

import math
from dataclasses import replace

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.optimiser import AdamW
from posttrain.core.method import MAIN, TOKEN_MEAN, Method, Stream, Term
from posttrain.core.parts import part
from posttrain.core.plan import plan
from posttrain.core.vocabulary import FIELDS, Source, When, head
from posttrain.core.weights import Average
from posttrain.data.collate import collate
from posttrain.errors import ConfigError, ModelError
from posttrain.formulas.credit.advantages import add_value
from posttrain.formulas.losses.penalties import forward_kl
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.methods.online.ppo import METHOD as PPO
from posttrain.methods.online.safe_rlhf import METHOD as SAFE
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY
from posttrain.records import Row
from posttrain.training.trainer import Trainer
from tests.harness.cases import ROLES, SMALL, Case, distance, networks
from tests.harness.networks import TinyNet
from tests.models.tiny import network

pytestmark = pytest.mark.usefixtures("float64")


class Bf16Net(TinyNet):
    """Weights in bf16, log-probs in float32, like a language model of that precision."""

    def __init__(self, seed):
        super().__init__(seed)
        self.bfloat16()

    def outputs(self, *args, **settings):
        return {n: x.float() for n, x in super().outputs(*args, **settings).items()}


def named(module):
    return dict(module.named_parameters())


def prepared(method, models, arrives=None, **settings):
    backend = LocalLearner(models, **settings)
    backend.prepare(plan(method, arrives))
    return backend


class TestRoles:
    def test_the_reference_is_the_policy_before_training(self):
        backend = prepared(DPO, {"policy": TinyNet(0)})
        assert backend.models["reference"] is not backend.models["policy"]
        assert distance(named(backend.models["reference"]), named(backend.models["policy"])) == 0

    def test_critics_descend_from_what_they_judge_by(self):
        backend = prepared(SAFE, {"policy": TinyNet(0), "reward": TinyNet(1), "cost": TinyNet(2)})
        for critic, ancestor in (("critic", "reward"), ("cost_critic", "cost")):
            assert distance(named(backend.models[critic]), named(backend.models[ancestor])) == 0
            assert backend.models[critic] is not backend.models[ancestor]

    def test_without_a_reward_model_a_critic_descends_from_the_policy(self):
        arrives = {MAIN: Case(PPO).batches()[MAIN].tensors.keys() | {"reward"}}
        backend = prepared(PPO, {"policy": TinyNet(0)}, arrives)
        assert distance(named(backend.models["critic"]), named(backend.models["policy"])) == 0

    def test_a_missing_model_says_how_to_give_it(self):
        with pytest.raises(ConfigError, match=r"grpo reads the model 'reward' and the run has none: give `rewards: "):
            prepared(GRPO, {"policy": TinyNet(0)})
        with pytest.raises(ConfigError, match=r"safe_rlhf reads the model 'cost' .* give `models: \{cost: FOLDER\}`"):
            prepared(SAFE, {"policy": TinyNet(0), "reward": TinyNet(1)})

    def test_only_trained_models_gather_gradients(self):
        method = Method(name="distil", streams=Stream("demonstrations"), loss=Term(forward_kl, reduce=TOKEN_MEAN))
        given = {"policy": TinyNet(0), "reference": TinyNet(1)}
        trainer = Trainer(plan(method), LocalLearner(given, tokens_per_device=SMALL), rates=lambda _: {"policy": 0.1})
        trainer.train(Case(SFT).batches())
        assert all(p.grad is None for p in given["reference"].parameters())
        assert distance(named(given["reference"]), named(TinyNet(1))) == 0

    def test_roles_that_share_a_module_share_an_optimiser(self):
        backend = prepared(PPO, networks(shared=True))
        assert list(backend.optimisers) == ["policy"]
        assert sorted(prepared(PPO, networks()).optimisers) == ["critic", "policy"]

    def test_a_head_that_is_missing_is_made_and_depends_on_the_seed(self):
        made = [prepared(BRADLEY_TERRY, {"reward": network()}, seed=s).models["reward"] for s in (1, 1, 2)]
        weights = [m.heads["score"].weight for m in made]
        assert torch.equal(weights[0], weights[1])
        assert not torch.equal(weights[0], weights[2])

    def test_a_head_that_is_missing_and_not_trained_is_an_error(self):
        with pytest.raises(ModelError, match="models.reward: the model has no score head"):
            prepared(PPO, {"policy": network(), "reward": network(seed=1)})

    def test_an_average_starts_with_the_head_of_what_it_follows(self):
        fields = head("target", "target", "value", "value of the slow critic")
        derived = PPO.derived | {"returns": part(add_value, old_value="old_target")}
        method = replace(PPO, fields=fields, derived=derived, averages={"target": Average("critic", 0.9)})
        scorer = network(seed=1)
        scorer.add_head("score", 1)
        models = prepared(method, {"policy": network(), "reward": scorer}).models
        assert torch.equal(models["target"].heads["value"].weight, models["critic"].heads["value"].weight)

    def test_a_second_method_takes_the_models_over(self):
        """Low-precision gradients flow into the masters of the last optimiser only."""
        backend = prepared(SFT, {"policy": Bf16Net(0)})
        first = backend.optimisers["policy"]
        backend.prepare(plan(DPO))
        Trainer(plan(SFT), backend, rates=lambda _: {"policy": 0.0})
        for p in backend.models["policy"].parameters():
            p.sum().backward()
        assert all(m.grad is None for m in first.param_states)
        assert all(m.grad is not None for m in backend.optimisers["policy"].param_states)

    def test_copy_gives_the_weights_as_they_are_now(self):
        case = Case(DPO)
        trainer = case.trained(1)
        trainer.learner.copy("policy", "reference")
        copied = {n: x.clone() for n, x in named(trainer.learner.models["reference"]).items()}
        assert distance(copied, named(trainer.learner.models["policy"])) == 0
        trainer.train(case.batches())
        assert distance(copied, named(trainer.learner.models["reference"])) == 0
        assert distance(copied, named(trainer.learner.models["policy"])) > 0


class TestForward:
    wants = {n: FIELDS[n].source for n in ("logp", "value", "reward", "logits")}

    def test_pieces_give_what_the_whole_gives(self):
        batch = Case(PPO).batches()[MAIN]
        learners = [LocalLearner(networks(), tokens_per_device=t) for t in (10**6, SMALL)]
        whole, pieces = (learner.forward(batch, self.wants) for learner in learners)
        assert {n: x.shape for n, x in whole.items()} == {n: x.shape for n, x in pieces.items()}
        assert distance(whole, pieces) < 1e-12

    def test_carries_no_gradient(self):
        made = LocalLearner(networks()).forward(Case(PPO).batches()[MAIN], self.wants)
        assert not any(x.requires_grad for x in made.values())

    def test_nothing_wanted_costs_nothing(self):
        backend = LocalLearner(networks())
        assert backend.forward(Case(PPO).batches()[MAIN], {}) == {}
        assert not backend.calls

    def test_a_row_is_read_at_the_temperature_it_was_sampled_at(self):
        def rows(*temperatures):
            mask = (False, True, True)
            return collate([Row(i, (1, 2, 3), mask, mask, {"temperature": t}) for i, t in enumerate(temperatures)])

        wants = {"logp": Source("policy", "logp", When.ONCE)}
        backend = LocalLearner(networks())
        cold, warm = (backend.forward(rows(t), wants)["logp"] for t in (0.5, 2.0))
        assert torch.allclose(backend.forward(rows(0.5, 2.0), wants)["logp"], torch.cat([cold, warm]))
        assert not torch.allclose(cold, warm)


class TestAccumulate:
    def test_progress_is_told(self):
        told = []
        backend = LocalLearner(networks(), tokens_per_device=SMALL, progress=lambda *a: told.append(a))
        case = Case(SFT)
        Trainer(plan(SFT), backend, rates=lambda _: dict.fromkeys(ROLES, 0.0)).train(case.batches())
        assert [(what, done) for what, done, _ in told] == [("training", n + 1) for n in range(len(told))]
        assert told[-1][1] == told[-1][2] > 1

    def test_discard_forgets_the_gradient(self):
        case = Case(SFT)
        trainer = case.trainer()
        batches = {s: b.add({"seed": 0, "step": 0}, {"seed": "", "step": ""}) for s, b in case.batches().items()}
        trainer.accumulate(batches, {MAIN: {}}, fresh=True)
        assert float(trainer.learner.optimisers["policy"].norm()) > 0
        trainer.learner.discard()
        assert float(trainer.learner.optimisers["policy"].norm()) == 0


class TestSharedPrefixes:
    """Four answers of two tokens to one prompt of twelve: 56 tokens, 20 of which a network reads."""

    ROWS = [
        Row(i, (*range(3, 15), 20 + i, 30), (False,) * 12 + (True,) * 2, (False,) * 12 + (True,) * 2) for i in range(4)
    ]
    SHARED = 14 + 3 * (2 + 12 / 8)

    def told(self, tokens, wants):
        backend = LocalLearner({"policy": network(), "reference": network(seed=1)}, tokens_per_device=tokens)
        read = []
        embedding = backend.models["policy"].trunk.get_input_embeddings()
        embedding.register_forward_hook(lambda _, given, out: read.append(given[0].numel()))
        return read, backend.forward(collate(self.ROWS), wants)

    def test_a_micro_batch_holds_what_fits_when_prefixes_are_read_once(self):
        wants = {n: Source(m, "logp", When.ONCE) for n, m in (("logp", "policy"), ("ref_logp", "reference"))}
        read, found = self.told(math.ceil(self.SHARED), wants)
        assert read == [12 + 4 * 2]
        apart, expected = self.told(14, wants)
        assert apart == [14] * 4
        assert distance(found, expected) < 1e-12
        assert len(self.told(math.floor(self.SHARED), wants)[0]) == 2

    def test_logits_take_memory_for_every_token(self):
        read, _ = self.told(math.ceil(self.SHARED), {"logits": Source("policy", "logits", When.ONCE)})
        assert read == [14, 14, 14, 14]


class TestBf16:
    def test_training_reduces_the_loss(self):
        backend = LocalLearner({"policy": Bf16Net(0)}, tokens_per_device=SMALL)
        trainer = Trainer(plan(SFT), backend, rates=lambda _: {"policy": 1e-2})
        losses = [trainer.train(Case(SFT).batches())["loss"] for _ in range(25)]
        assert losses[-1] < 0.7 * losses[0]
        assert {p.dtype for p in backend.models["policy"].parameters()} == {torch.bfloat16}

    def test_micro_batches_change_the_gradient_by_the_rounding_of_bf16_only(self):
        norms = []
        for tokens in (10**6, SMALL):
            learner = LocalLearner({"policy": Bf16Net(0)}, tokens_per_device=tokens)
            trainer = Trainer(plan(SFT), learner, rates=lambda _: {"policy": 0.0})
            norms.append(trainer.train(Case(SFT).batches())["grad_norm"])
        assert norms[0] == pytest.approx(norms[1], rel=0.02)

    def test_resume_restores_the_masters_too(self):
        def run():
            return Trainer(plan(SFT), LocalLearner({"policy": Bf16Net(0)}), rates=lambda _: {"policy": 1e-4})

        whole, half, resumed = run(), run(), run()
        for _ in range(4):
            whole.train(Case(SFT).batches())
        for _ in range(2):
            half.train(Case(SFT).batches())
        resumed.restore(half.state())
        for _ in range(2):
            resumed.train(Case(SFT).batches())
        masters = [[m.master for m in t.learner.optimisers["policy"].param_states] for t in (whole, resumed)]
        assert all(torch.equal(a.read(), b.read()) for a, b in zip(*masters, strict=True))

    def test_an_average_follows_in_steps_that_bf16_cannot_show(self):
        method = replace(SFT, averages={"reference": Average("policy", 0.999)})

        def run():
            return Trainer(plan(method), LocalLearner({"policy": Bf16Net(0)}), rates=lambda _: {"policy": 1e-2})

        def of_average(trainer):
            return {n: m.read().view_as(start[n]) for n, m in zip(start, trainer.learner.averages["reference"].masters)}

        whole, half, resumed = run(), run(), run()
        start = {n: x.detach().clone() for n, x in named(whole.learner.models["policy"]).items()}
        expected = {n: x.float() for n, x in start.items()}
        for _ in range(20):
            whole.train(Case(SFT).batches())
            for n, x in named(whole.learner.models["policy"]).items():
                expected[n] = 0.999 * expected[n] + 0.001 * x.detach().float()
        masters = of_average(whole)
        assert distance(masters, expected) < 1e-5
        assert distance(expected, {n: x.float() for n, x in start.items()}) > 1e-4
        for _ in range(10):
            half.train(Case(SFT).batches())
        resumed.restore(half.state())
        for _ in range(10):
            resumed.train(Case(SFT).batches())
        assert distance(masters, of_average(resumed)) == 0


class TestState:
    def test_only_what_changed_is_saved(self):
        trainer = Case(DPO).trained(1)
        assert set(trainer.learner.state()["models"]) == {"policy"}
        assert set(Case(SAFE).trained(1).learner.state()["models"]) == {"policy", "critic", "cost_critic"}
        assert set(Case(PPO, shared=True).trained(1).learner.state()["models"]) == {"policy"}

    def test_a_reference_that_descends_from_a_trained_policy_is_saved_with_it(self):
        backend = LocalLearner({"policy": TinyNet(0)})
        Trainer(plan(SFT), backend, rates=lambda _: {"policy": 0.1}).train(Case(SFT).batches())
        backend.prepare(plan(DPO))
        assert set(backend.state()["models"]) == {"policy", "reference"}
        resumed = LocalLearner({"policy": TinyNet(0)})
        resumed.restore(backend.state())
        resumed.prepare(plan(DPO))
        for role in ("policy", "reference"):
            assert distance(named(resumed.models[role]), named(backend.models[role])) == 0

    def test_is_a_copy(self):
        case = Case(DPO)
        trainer = case.trained(1)
        saved = trainer.learner.state()["models"]["policy"]
        before = {n: x.clone() for n, x in saved.items()}
        trainer.train(case.batches())
        assert distance(before, saved) == 0

    def test_a_trained_head_comes_back(self):
        backend = prepared(BRADLEY_TERRY, {"reward": network()}, seed=3)
        resumed = LocalLearner({"reward": network()})
        resumed.restore(backend.state())
        assert torch.equal(
            resumed.models["reward"].heads["score"].weight, backend.models["reward"].heads["score"].weight
        )

    def test_settings_of_the_optimiser_reach_it(self):
        backend = prepared(SFT, networks(), optimiser=AdamW(weight_decay=0.3, betas=(0.8, 0.9)))
        settings = backend.optimisers["policy"].settings
        assert (settings.weight_decay, settings.betas) == (0.3, (0.8, 0.9))
