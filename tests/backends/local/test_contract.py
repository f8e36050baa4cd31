"""The local backend keeps the contract of all backends, with one copy of the weights."""

from __future__ import annotations

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from tests.backends.contract import Contract, batch, trainer
from tests.models.tiny import network


class TestLocal(Contract):
    def make(self, tokens_per_device: int = 10**6):
        learner = LocalLearner({"policy": network()}, tokens_per_device=tokens_per_device)
        return learner, LocalSampler(learner.models, slots=4)


def test_the_sampler_reads_the_learners_own_modules(float64) -> None:
    learner, sampler = TestLocal().make()
    policy = learner.models["policy"]
    trainer(learner).train({"main": batch()})
    assert sampler.networks["policy"] is learner.models["policy"] is policy
