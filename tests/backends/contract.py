"""What every backend must do: a Learner and a Sampler that agree on a version.

A backend's own test file makes the two and inherits the tests:

    class TestLocal(Contract):
        def make(self, tokens_per_device=10**6): return learner, sampler

A sampler whose learner is tested elsewhere inherits `Sampling` alone. They start with the role `policy` of
tests.models.tiny.network(), in float64. Only the protocols of backends/protocol.py are used, so a backend on several
processes or machines must pass them as they are.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from posttrain.backends.protocol import Direction, Learner, Sampler
from posttrain.core.method import MAIN, Term
from posttrain.core.plan import plan
from posttrain.core.vocabulary import Source, When
from posttrain.data.collate import collate
from posttrain.errors import ConfigError, ModelError, NumericsError
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.models.merging.merge import Merge
from posttrain.records import Row
from posttrain.sampling.request import POLICY, Pause, Request
from posttrain.training.trainer import Trainer
from tests.models.tiny import VOCABULARY

RATE = 1e-2
LOGP = {"logp": Source("policy", "logp", When.ONCE)}


def batch(seed: int = 0):
    """Six rows of 4 to 9 tokens, the first two of each a prompt."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for i in range(6):
        length = int(torch.randint(4, 10, (1,), generator=generator))
        tokens = tuple(torch.randint(3, VOCABULARY, (length,), generator=generator).tolist())
        mask = (False, False) + (True,) * (length - 2)
        rows.append(Row(i, tokens, mask, mask))
    return collate(rows)


def trainer(learner: Learner, rate: float = RATE) -> Trainer:
    return Trainer(plan(SFT), learner, rates=lambda _: {"policy": rate})


def counts(n: float) -> dict[Term, float]:
    """What every term and metric of SFT is divided by."""
    planned = plan(SFT)
    return dict.fromkeys([*planned.terms[MAIN].values(), *planned.metrics[MAIN].values()], n)


def requests(count: int = 5, **settings):
    return [Request((3 + i, 7, 9), seed=i, max_tokens=6, **settings) for i in range(count)]


class Later:
    """Requests that arrive in parts."""

    away = 0

    def __init__(self, parts):
        self.parts = parts

    def take(self, wait: bool):
        while self.parts:
            part = self.parts.pop(0)
            if part or not wait:
                return part
        return []


@pytest.mark.usefixtures("float64")
class Sampling:
    """The tests of a sampler. `make` gives a learner and a sampler that starts from its weights."""

    tolerance = 1e-8  # of log-probs, between sampler and learner

    def make(self, tokens_per_device: int = 10**6) -> tuple[Learner, Sampler]:
        raise NotImplementedError

    def logp(self, learner: Learner) -> torch.Tensor:
        return learner.forward(batch(), LOGP)["logp"]

    def sampled(self, learner: Learner, sampler: Sampler, asked=None, steps: int = 0):
        sampler.sync(learner.version, steps)
        return sampler.generate(asked or requests(), POLICY)

    # ---- versions

    def test_answers_end_at_the_tokens_that_stop(self):
        learner, sampler = self.make()
        sampler.sync(learner.version, 0)
        sampler.stop_at(frozenset())
        (free,) = sampler.generate(requests(1))
        sampler.stop_at(frozenset({free.tokens[2]}))
        (stopped,) = sampler.generate(requests(1))
        first = free.tokens.index(free.tokens[2])
        assert stopped.tokens == free.tokens[: first + 1]
        assert stopped.ended
        assert not free.ended
        learner.stop_at(frozenset({5}))

    def test_a_sampler_answers_with_the_weights_of_its_version(self):
        learner, sampler = self.make()
        before = self.sampled(learner, sampler, requests(temperature=1.0))
        trainer(learner, 0.3).train({MAIN: batch()})
        after = self.sampled(learner, sampler, requests(temperature=1.0), steps=1)
        assert [c.logp for c in before] != [c.logp for c in after]
        for request, completion in zip(requests(), after, strict=True):
            tokens = request.prompt + completion.tokens
            mask = (False,) * 3 + (True,) * len(completion.tokens)
            measured = learner.forward(collate([Row(0, tokens, mask, mask)]), LOGP)["logp"][3:]
            assert completion.logp == pytest.approx(measured.tolist(), abs=self.tolerance)

    def test_tokens_carry_the_training_steps_of_their_weights(self):
        learner, sampler = self.make()
        asked = [replace(r, version=99) for r in requests()]  # what a request says does not count
        for steps in (0, 7):
            for completion in self.sampled(learner, sampler, asked, steps):
                assert completion.versions == (steps,) * len(completion.tokens)

    # ---- answers

    def test_a_request_gets_the_same_answer_whatever_stands_beside_it(self):
        learner, sampler = self.make()
        asked = requests(7)
        together = self.sampled(learner, sampler, asked)
        alone = [self.sampled(learner, sampler, [r])[0] for r in asked]
        reverse = self.sampled(learner, sampler, asked[::-1])[::-1]
        assert [c.tokens for c in together] == [c.tokens for c in alone] == [c.tokens for c in reverse]

    def test_what_was_suspended_continues_as_if_it_had_not_been(self):
        learner, sampler = self.make()
        whole = self.sampled(learner, sampler)
        sampler.sync(learner.version, 0)
        parts = sampler.generate(requests(), POLICY, Pause(each=2))
        assert not any(c.finished for c in parts if len(c.tokens) < 6)
        rest = [replace(r, partial=c) for r, c in zip(requests(), parts, strict=True) if not c.finished]
        done = iter(self.sampled(learner, sampler, rest))
        ends = [c if c.finished else next(done) for c in parts]
        assert [c.tokens for c in ends] == [c.tokens for c in whole]

    def test_every_finished_answer_is_reported_once_and_may_be_the_last(self):
        learner, sampler = self.make()
        seen: list[int] = []
        sampler.sync(learner.version, 0)
        sampler.generate(requests(), POLICY, on_finished=lambda i, _: seen.append(i) or False)
        assert sorted(seen) == list(range(5))
        first = sampler.generate(requests(), POLICY, on_finished=lambda *_: True)
        assert any(c.finished for c in first)

    def test_requests_that_arrive_are_answered_after_those_of_the_call(self):
        learner, sampler = self.make()
        asked = requests(7)
        alone = self.sampled(learner, sampler, asked)
        seen: list[int] = []
        sampler.sync(learner.version, 3)
        arrivals = Later([asked[2:5], [], asked[5:]])
        made = sampler.generate(asked[:2], POLICY, on_finished=lambda i, _: seen.append(i) or False, arrivals=arrivals)
        assert [c.tokens for c in made] == [c.tokens for c in alone]
        assert sorted(seen) == list(range(7))
        assert all(c.versions == (3,) * len(c.tokens) for c in made)
        assert arrivals.parts == []

    def test_a_request_that_cannot_be_read_is_refused_and_the_next_ones_are_answered(self):
        learner, sampler = self.make()
        asked = requests()
        before = self.sampled(learner, sampler, asked)
        for place in (0, 4):
            wrong = [*asked[:place], Request((3,) * 60, 0, 9), *asked[place + 1 :]]
            with pytest.raises(ModelError, match=f"request {place}: .* exceed the model's context"):
                self.sampled(learner, sampler, wrong)
        with pytest.raises(ConfigError, match="no model has the role 'nobody'"):
            sampler.generate(asked[:1], (("nobody", 1.0),))
        assert [c.tokens for c in self.sampled(learner, sampler, asked)] == [c.tokens for c in before]

    def test_memory_may_be_released_at_any_time(self):
        learner, sampler = self.make()
        before = self.sampled(learner, sampler)
        sampler.release()
        after = self.sampled(learner, sampler)
        assert [c.tokens for c in before] == [c.tokens for c in after]
        assert all(0 < x <= 1 for name, x in sampler.metrics().items() if "occupancy" in name)


class Contract(Sampling):
    """All tests, of a learner and its sampler."""

    def test_every_change_of_a_weight_changes_the_version_and_nothing_else_does(self):
        learner, _ = self.make()
        learner.prepare(plan(SFT))
        seen = [learner.version]

        def changed() -> bool:
            seen.append(learner.version)
            return seen[-1] != seen[-2]

        self.logp(learner)
        learner.state()
        learner.snapshot("policy")
        learner.discard()
        assert not changed()
        trainer(learner).train({MAIN: batch()})
        assert changed()
        learner.copy("policy", "other")
        assert changed()
        learner.move("policy", "policy", [(Direction(1), 0.01)])
        assert changed()
        learner.restore(learner.state())
        assert changed()

    # ---- learning

    def test_micro_batches_do_not_show(self):
        ends = []
        for tokens in (10**6, 12):
            learner, _ = self.make(tokens)
            trainer(learner).train({MAIN: batch()})
            ends.append(self.logp(learner))
        torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=1e-10)

    def test_a_batch_of_any_size_gives_what_its_rows_give(self):
        learner, _ = self.make(12)
        whole, rows = self.logp(learner), batch()
        pieces = [learner.forward(rows.select([i]), LOGP)["logp"] for i in range(6)]
        torch.testing.assert_close(torch.cat(pieces), whole, rtol=0, atol=1e-10)

    def test_measuring_gives_what_accumulating_does_and_leaves_no_trace(self):
        clean, _ = self.make(12)
        other, _ = self.make(12)
        for learner in (clean, other):
            learner.prepare(plan(SFT))
        version = other.version
        measured = other.measure(plan(SFT), MAIN, batch(3), counts(7.0))
        assert other.version == version
        for learner in (clean, other):
            trainer(learner).train({MAIN: batch()})
        assert torch.equal(self.logp(clean), self.logp(other))
        accumulated = self.make(12)[0].accumulate(plan(SFT), MAIN, batch(3), counts(7.0), fresh=True)
        assert (measured.loss, measured.metrics) == (
            pytest.approx(accumulated.loss),
            pytest.approx(accumulated.metrics),
        )

    def test_a_discarded_gradient_leaves_no_trace(self):
        clean, _ = self.make()
        other, _ = self.make()
        for learner in (clean, other):
            learner.prepare(plan(SFT))
        other.accumulate(plan(SFT), MAIN, batch(3), counts(1.0), fresh=True)
        other.discard()
        for learner in (clean, other):
            trainer(learner).train({MAIN: batch()})
        assert torch.equal(self.logp(clean), self.logp(other))

    def test_a_gradient_that_is_not_finite_moves_nothing(self):
        learner, _ = self.make()
        learner.prepare(plan(SFT))
        before, version = self.logp(learner), learner.version
        learner.accumulate(plan(SFT), MAIN, batch(), counts(float("nan")), fresh=True)
        with pytest.raises(NumericsError):
            learner.step({"policy": RATE})
        assert torch.equal(self.logp(learner), before)
        assert learner.version == version

    # ---- roles

    def test_a_copy_is_the_weights_as_they_are_now(self):
        learner, _ = self.make()
        learner.copy("policy", "old")
        trainer(learner).train({MAIN: batch()})
        old = {"logp": Source("old", "logp", When.ONCE)}
        assert not torch.equal(learner.forward(batch(), old)["logp"], self.logp(learner))
        learner.copy("policy", "old")
        assert torch.equal(learner.forward(batch(), old)["logp"], self.logp(learner))

    def test_models_that_are_merged_are_the_mean_and_a_copy(self):
        learner, _ = self.make()
        start = self.logp(learner)
        for role in ("start", "old"):
            learner.copy("policy", role)
        trainer(learner).train({MAIN: batch()})
        version, trained = learner.version, self.logp(learner)
        learner.merge(["policy", "policy"], "same", Merge())
        learner.merge(["policy"], "old", Merge(share=0.0), "start")
        assert learner.version > version
        wants = {role: Source(role, "logp", When.ONCE) for role in ("same", "old")}
        found = learner.forward(batch(), wants)
        assert torch.equal(found["same"], trained)
        assert torch.equal(found["old"], start)
        assert not torch.equal(start, trained)

    def test_a_head_that_is_set_has_these_weights_and_no_bias(self):
        learner, _ = self.make()
        states = learner.forward(batch(), {"feature": Source("policy", "feature", When.ONCE)})["feature"]
        for scale in (1.0, 2.0):
            weight = scale * torch.arange(3 * states.shape[1], dtype=states.dtype).view(3, -1) / 100
            version = learner.version
            learner.set_head("policy", "doubt", weight)
            assert learner.version > version
            found = learner.forward(batch(), {"doubt": Source("policy", "doubt", When.ONCE, 0)})["doubt"]
            torch.testing.assert_close(found, (states @ weight.T).to(found.dtype), rtol=1e-4, atol=1e-4)

    def test_a_move_along_a_direction_and_back_ends_where_it_began(self):
        learner, _ = self.make()
        before = self.logp(learner)
        learner.move("policy", "policy", [(Direction(5), 0.02)])
        assert not torch.allclose(self.logp(learner), before, rtol=0, atol=1e-6)
        learner.move("policy", "policy", [(Direction(5), -0.02)])
        torch.testing.assert_close(self.logp(learner), before, rtol=0, atol=1e-10)

    # ---- state

    def test_a_restored_learner_continues_bit_for_bit(self):
        first, _ = self.make()
        training = trainer(first)
        training.train({MAIN: batch()})
        state = training.state()
        training.train({MAIN: batch(1)})
        second, _ = self.make()
        resumed = trainer(second)
        resumed.restore(state)
        resumed.train({MAIN: batch(1)})
        assert torch.equal(self.logp(first), self.logp(second))

    def test_later_steps_do_not_reach_a_snapshot(self):
        learner, _ = self.make()
        training = trainer(learner)
        training.train({MAIN: batch()})
        before = self.logp(learner)
        taken = training.snapshot("policy")
        training.train({MAIN: batch(1)})
        other, _ = self.make()
        resumed = trainer(other)
        resumed.restore(taken.state)
        assert torch.equal(self.logp(other), before)
