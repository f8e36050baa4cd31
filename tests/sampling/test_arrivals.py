"""Requests that arrive while others are answered."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from posttrain.errors import ModelError
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import Pause, Request
from tests.models.tiny import network, padded
from tests.sampling.test_engine import NEVER, requests, same

USER = (7, 8, 9)
STEP, LATENCY = 0.03, 0.2  # seconds of a decoding step, mean seconds of a tool


class Given:
    """Requests that arrive before certain decoding steps, counted from 0."""

    away = 0

    def __init__(self, by_step):
        self.by_step = dict(by_step)
        self.steps = 0
        self.waited = []

    def take(self, wait):
        if wait:
            self.waited.append(self.steps)
            self.steps = min(self.by_step, default=self.steps)
        due = self.by_step.pop(self.steps, [])
        self.steps += 1
        return due


class Conversations:
    """Episodes in virtual time: a step of the engine takes STEP, and what the environment answers some time more."""

    def __init__(self, episodes, turns, latency=0.0, keep=True, tokens=6, sigma=0.0):
        self.turns, self.latency, self.keep, self.tokens, self.sigma = turns, latency, keep, tokens, sigma
        self.now, self.due, self.asked = 0.0, [], []
        self.answers = {}
        for i in range(episodes):
            self.ask((3, 4, 5, 6 + i % 20)[: 3 + i % 2], i, 0)

    def ask(self, prompt, episode, turn):
        drawn = random.Random(100 * turn + episode)
        length = max(1, round(self.tokens * drawn.lognormvariate(0, self.sigma)))
        latency = self.latency * drawn.lognormvariate(-0.5, 1.0) if turn else 0
        self.due.append(
            (self.now + latency, episode, turn, Request(prompt, drawn.getrandbits(30), length, keep=self.keep))
        )

    @property
    def away(self):
        return sum(turn > 0 for _, _, turn, _ in self.due)

    def take(self, wait):
        if wait and self.due:
            self.now = max(self.now, min(self.due)[0])
        due = sorted(d for d in self.due if d[0] <= self.now)
        self.due = [d for d in self.due if d[0] > self.now]
        self.now += STEP
        self.asked += due
        return [request for *_, request in due]

    def finished(self, number, completion):
        _, episode, turn, request = self.asked[number]
        self.answers[episode, turn] = completion
        if turn + 1 < self.turns:
            self.ask(request.prompt + completion.tokens + USER, episode, turn + 1)
        return False


def played(engine, **how):
    conversations = Conversations(**how)
    engine.generate([], on_finished=conversations.finished, arrivals=conversations)
    return [conversations.answers[key] for key in sorted(conversations.answers)]


def test_an_answer_does_not_depend_on_when_its_request_arrives():
    net, stop = network(), frozenset({5, 9})
    asked = requests(9, max_tokens=12)
    alone = [Engine({"policy": net}, stop).generate([r])[0] for r in asked]
    for slots in (2, 64):
        arrivals = Given({1: asked[3:4], 2: asked[4:7], 9: asked[7:]})
        same(Engine({"policy": net}, stop, slots).generate(asked[:3], arrivals=arrivals), alone)


def test_a_request_that_arrives_runs_beside_those_that_run():
    order = []
    arrivals = Given({3: [Request((3, 4), 1, 2)]})
    Engine({"policy": network()}, NEVER).generate(
        [Request((4, 5), 0, 9)], arrivals=arrivals, on_finished=lambda i, c: order.append((i, len(c.tokens))) or False
    )
    assert order == [(1, 2), (0, 9)]
    assert arrivals.waited == [9]  # only when nothing runs


def test_nothing_may_arrive():
    arrivals = Given({})
    assert Engine({"policy": network()}, NEVER).generate([], arrivals=arrivals) == []
    assert arrivals.waited == [0]


def test_an_arriving_request_that_does_not_fit_is_an_error_with_its_number():
    with pytest.raises(ModelError, match="request 1: the prompt has 64 tokens"):
        Engine({"policy": network()}, NEVER).generate(requests(1), arrivals=Given({2: [Request((3,) * 64, 0, 1)]}))


def test_a_long_request_may_arrive_among_short_ones(monkeypatch):
    monkeypatch.setattr("posttrain.sampling.engine.HEADROOM", 1)
    net, long = network(max_position_embeddings=512), Request(tuple(range(3, 39)) * 8, 5, 4)
    alone = Engine({"policy": net}, NEVER).generate([long])
    same(Engine({"policy": net}, NEVER).generate(requests(2), arrivals=Given({2: [long]}))[2:], alone)


@pytest.mark.parametrize("slots", [2, 4, 64])
def test_turns_that_arrive_are_those_of_an_engine_without_a_cache(slots):
    how = {"episodes": 5, "turns": 3, "latency": LATENCY, "sigma": 0.5}
    apart = played(Engine({"policy": network()}, NEVER), **how, keep=False)
    assert len(apart) == 15
    same(played(Engine({"policy": network()}, NEVER, slots), **how), apart)


def test_a_turn_reads_only_its_new_tokens_though_other_conversations_began_meanwhile(monkeypatch):
    net, read = network(), []
    states = net.states
    monkeypatch.setattr(net, "states", lambda tokens, *how: read.append(len(tokens)) or states(tokens, *how))
    engine = Engine({"policy": net}, NEVER, slots=2)
    first, second = Request((3, 4, 5, 6), 0, 2, keep=True), Request((3, 4, 5, 8), 1, 2, keep=True)
    others = [Request((9 + i, 8, 7, 6, 5), i, 2, keep=True) for i in range(2)]

    class Turns(Given):
        def take(self, wait):
            if wait and not self.by_step and len(finished) == 4:
                self.by_step = {self.steps: [replace(first, prompt=(*first.prompt, *finished[0], *USER))]}
            return super().take(wait)

    finished = {}
    engine.generate(
        [first, second], arrivals=Turns({3: others}), on_finished=lambda i, c: finished.update({i: c.tokens}) or False
    )
    # Twice: what two prompts read before they are asked, equal tokens once, and two steps. Then what is new.
    assert read == [3, 2, 2, 8, 2, 2, len(USER), 1, 1]


def test_arrivals_are_suspended_and_resumed():
    net, asked = network(), requests(5, max_tokens=8)
    engine = Engine({"policy": net}, NEVER)
    parts = engine.generate(asked[:2], arrivals=Given({1: asked[2:4], 3: asked[4:]}), pause=Pause(tokens=12))
    assert [len(c.tokens) for c in parts] == [4, 4, 3, 3, 1]
    rest = [replace(r, partial=c) for r, c in zip(asked, parts, strict=True)]
    same(engine.generate(rest), engine.generate(asked))


def test_prompts_are_read_together_unless_no_others_wait():
    first = [Request((3, 4, 5), i, 2 + i) for i in range(32)]
    slots = 32
    order = []
    waiting = [Request((6, 7), i, 1) for i in range(2)]
    engine = Engine({"policy": network()}, NEVER, slots)
    engine.generate([*first, *waiting], on_finished=lambda i, _: order.append(i) or False)
    assert set(order[2:4]) == {32, 33}  # two slots are 1/16 of them
    order.clear()
    engine.generate([*first, waiting[0]], on_finished=lambda i, _: order.append(i) or False)
    assert order[1] == 32  # nobody else waits


def test_slots_are_busy_while_tools_work():
    """Until the last twentieth of the episodes, 90% of the slots are busy."""
    net = network(num_hidden_layers=1, hidden_size=8, intermediate_size=8, max_position_embeddings=512).float()
    engine, ends = Engine({"policy": net}, NEVER, slots=8), []
    conversations = Conversations(60, 4, LATENCY, tokens=5, sigma=0.5)
    busy = []

    def finished(number, completion):
        if conversations.asked[number][2] == 3:
            ends.append(None)
            if len(ends) == 57:
                busy.append(engine.occupancy.metrics()["sampling/occupancy"])
        return conversations.finished(number, completion)

    engine.generate([], on_finished=finished, arrivals=conversations)
    assert len(ends) == 60
    assert busy[0] > 0.9


def test_as_many_conversations_begin_as_the_cache_keeps_and_the_least_far_go_on():
    conversations = Conversations(6, 3, tokens=2)
    engine = Engine({"policy": network()}, NEVER, slots=2)
    engine.generate([], on_finished=conversations.finished, arrivals=conversations)
    ended = list(conversations.answers)
    began = {episode for episode, _ in ended[:4]}  # twice as many as slots
    assert {(e, 0) for e in began} == set(ended[:4])
    assert {(e, 1) for e in began} == set(ended[4:8])
    assert {(e, 0) for e in range(6)} - set(ended[:4]) <= set(ended[8:12])


def test_transformers_answers_arrivals_in_the_next_batch():
    net, asked = padded("Gemma2"), requests(6, max_tokens=5)
    alone = HfEngine({"policy": net}, NEVER).generate(asked)
    order = []
    arrivals = Given({0: asked[2:3], 1: asked[3:5], 4: asked[5:]})
    made = HfEngine({"policy": net}, NEVER, slots=2).generate(
        asked[:2], arrivals=arrivals, on_finished=lambda i, _: order.append(i) or False
    )
    same(made, alone)
    assert sorted(order) == list(range(6))
    assert arrivals.waited == [3, 5]
