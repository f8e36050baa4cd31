"""The backend of several processes keeps the contract of all backends, with two."""

from __future__ import annotations

from posttrain.backends.fsdp.learner import FsdpLearner
from posttrain.backends.fsdp.sampler import FsdpSampler
from tests.backends.contract import Contract
from tests.backends.fsdp.pool import group
from tests.models.tiny import network


class TestFsdp(Contract):
    def make(self, tokens_per_device: int = 10**6):
        learner = FsdpLearner(group(), {"policy": network()}, tokens_per_device=tokens_per_device)
        return learner, FsdpSampler(learner, slots=4)


def test_a_process_holds_its_part_of_the_weights(float64) -> None:
    policy = TestFsdp().make()[0].local.models["policy"]
    parts = {n: p.to_local().numel() for n, p in policy.named_parameters()}
    assert parts == {n: p.numel() // 2 for n, p in policy.named_parameters()}
