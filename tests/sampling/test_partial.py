"""Answers that are suspended and resumed, under the same weights or newer ones."""

from dataclasses import replace

import pytest
import torch

from posttrain.errors import ConfigError
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import NEVER, Completion, Pause, Request
from tests.models.tiny import network
from tests.sampling.test_engine import requests, same, trainer_logp

STOP = frozenset({5, 9, 11})
PAUSES = [Pause(finished=3), Pause(tokens=30), Pause(each=4)]


def resumed(asked, completions, version):
    """The numbers of unfinished completions, and requests that resume them."""
    rest = [i for i, c in enumerate(completions) if not c.finished]
    return rest, [replace(asked[i], partial=completions[i], version=version) for i in rest]


def to_the_end(engine, asked, pause, change=lambda: None):
    """Generate and suspend until everything is finished. `change` is called in between."""
    done, version = engine.generate(asked, pause=pause), 0
    while any(not c.finished for c in done):
        change()
        version += 1
        rest, again = resumed(asked, done, version)
        for i, c in zip(rest, engine.generate(again, pause=pause), strict=True):
            done[i] = c
    return done


def nudged(net):
    def change():
        with torch.no_grad():
            for p in net.parameters():
                p.mul_(1.05)

    return change


@pytest.mark.parametrize("pause", PAUSES)
def test_resumed_answers_are_those_of_an_uninterrupted_call(pause):
    engine = Engine({"policy": network()}, STOP, slots=3)
    asked = [replace(r, temperature=1.3) for r in requests(7, max_tokens=15)]
    actual = to_the_end(engine, asked, pause)
    same(actual, engine.generate(asked))
    assert max(v for c in actual for v in c.versions) >= 1


def test_pauses_count_finished_answers_and_tokens():
    engine, asked = Engine({"policy": network()}, frozenset(), slots=4), requests(6, max_tokens=10)
    assert [len(c.tokens) for c in engine.generate(asked, pause=Pause(each=4))] == [4] * 6
    assert sum(len(c.tokens) for c in engine.generate(asked, pause=Pause(tokens=12))) == 12
    lengths = [replace(r, max_tokens=n) for r, n in zip(asked, (3, 6, 9, 12, 15, 18), strict=True)]
    actual = engine.generate(lengths, pause=Pause(finished=2))
    assert sum(c.finished for c in actual) == 2
    assert [len(c.tokens) for c in actual] == [0, 3, 9, 12, 12, 12]  # the longest start first
    assert all(c.finished for c in engine.generate(lengths, pause=NEVER))


def test_on_finished_may_suspend_the_others():
    engine, asked, finished = Engine({"policy": network()}, STOP, slots=3), requests(6, max_tokens=9), {}
    done = engine.generate(asked, on_finished=lambda i, c: finished.update({i: c}) or len(finished) >= 2)
    assert {i: c for i, c in enumerate(done) if c.finished} == finished
    assert len(finished) < 6


@pytest.mark.parametrize("slots", [2, 64])
def test_each_token_has_the_log_prob_of_the_weights_it_was_drawn_from(slots):
    net = network()
    weights = [{n: x.clone() for n, x in net.state_dict().items()}]

    def change():
        nudged(net)()
        weights.append({n: x.clone() for n, x in net.state_dict().items()})

    asked = requests(5, max_tokens=12)
    done = to_the_end(Engine({"policy": net}, frozenset(), slots), asked, Pause(each=5), change)
    assert [c.versions for c in done] == [(0,) * 5 + (1,) * 5 + (2,) * 2] * 5
    for version, state in enumerate(weights):
        net.load_state_dict(state)
        for request, completion in zip(asked, done, strict=True):
            expected = trainer_logp(net, request, completion).tolist()
            drawn = [i for i, v in enumerate(completion.versions) if v == version]
            assert [completion.logp[i] for i in drawn] == pytest.approx([expected[i] for i in drawn], abs=1e-10)
            others = [i for i, v in enumerate(completion.versions) if v != version]
            assert [completion.logp[i] for i in others] != pytest.approx([expected[i] for i in others], abs=1e-4)


def test_the_same_seeds_give_the_same_bits():
    def run():
        net = network()
        return to_the_end(Engine({"policy": net}, STOP, 3), requests(7, max_tokens=15), Pause(tokens=20), nudged(net))

    assert run() == run()


def test_partial_answers_are_resumed_before_new_ones_start():
    engine = Engine({"policy": network()}, frozenset(), slots=2)
    partial = engine.generate([Request((4, 5), 7, 8)], pause=Pause(each=3))[0]
    order = []
    asked = [Request((3,) * 9, 0, 30), Request((4, 5), 7, 8, partial=partial), Request((3,) * 8, 1, 30)]
    engine.generate(asked, on_finished=lambda i, _: order.append(i) or False)
    assert order[0] == 1


@pytest.mark.parametrize(
    "partial", [Completion((4,), (0.0,), True), Completion((4,) * 5, (0.0,) * 5, False, (), False)]
)
def test_a_finished_answer_cannot_be_resumed(partial):
    with pytest.raises(ConfigError, match="finished cannot go on"):
        Request((3,), 0, 5, partial=partial)


def test_a_pause_must_draw_something():
    with pytest.raises(ConfigError, match="a pause after 0 tokens draws nothing"):
        Pause(tokens=0)
