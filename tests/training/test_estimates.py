"""What partial answers are worth: verdicts, models, rollouts; and that a failure is no number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from posttrain.config.load import load
from posttrain.formulas.losses.scores import sum_logp
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.rewards.reward import resolve
from posttrain.search.found import Found
from posttrain.search.tree import ROOT, Step, Tree
from posttrain.training.estimates import Judged, Modelled, Rollouts, Verdict
from posttrain.training.session import Session


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    given = {"model": "tiny", "sampling": {"max_tokens": 6}, "scoring": {"workers": 0}}
    with open_session(load(given, complete=False), write=False) as opened:
        yield opened


def length(completions, *, silent: int = 99):
    return [None if len(c) == silent else float(len(c)) for c in completions]


def step(text: str, *, ended: bool = False) -> Step:
    return Step(tuple(text.encode()), (-0.5,) * len(text), text, ended)


def found() -> Found:
    """ab goes on with c (it ends) and with cdef (it is cut at 6 tokens); g has ended."""
    tree = Tree(6)
    tree.add(ROOT, [step("ab"), step("g", ended=True)])
    tree.add(1, [step("c", ended=True), step("cdef")])
    return Found(Prompt(7, "x?"), (120, 63), tree, ())


NODES = [(found(), n) for n in range(5)]


def test_only_what_is_over_has_a_verdict_and_a_cut_answer_is_wrong(session):
    assert Verdict((resolve(length),), 2.0)(session.run, NODES) == [None, None, -1.0, 1.0, -1.0]
    assert Verdict((resolve(length),), 3.0)(session.run, NODES) == [None, None, -1.0, -1.0, -1.0]
    assert Verdict((resolve(length),))(session.run, NODES[:2]) == [None, None]
    assert Verdict((resolve(length),), 5.5, finished=False)(session.run, NODES) == [None, None, -1.0, -1.0, 1.0]


def test_a_reward_that_abstains_is_no_verdict(session):
    silent = resolve({"path": f"{__file__}:length", "silent": 3})
    assert Verdict((silent,), 0.5)(session.run, NODES) == [None, None, 1.0, None, -1.0]


def test_a_model_says_what_the_last_step_is_worth_behind_all_before_it(session):
    values = Modelled(sum_logp)(session.run, NODES)
    assert values[0] is None
    one, together = values[1], Modelled(sum_logp)(session.run, [(_joined(), 1)])[0]
    assert one is not None
    assert together == pytest.approx(one + values[3], abs=1e-4)
    assert Modelled(sum_logp)(session.run, NODES[:1]) == [None]


def _joined() -> Found:
    tree = Tree(6)
    tree.add(ROOT, [step("abc", ended=True)])
    return Found(Prompt(7, "x?"), (120, 63), tree, ())


@pytest.mark.paper("chen20244ev")
def test_rollouts_complete_what_is_not_over(session):
    """From the prompt 6 tokens may follow, behind ab 4."""
    asked = []
    run, generate = session.run, session.run.generate
    verdict = Verdict((resolve(length),), 2.0)
    rollouts = Rollouts(verdict, session.sampling(samples=3), "here")
    by = Judged(verdict, rollouts)
    session.run.generate = lambda requests, source: asked.extend(requests) or generate(requests, source)
    try:
        values = by(run, NODES)
    finally:
        session.run.generate = generate
    assert [(r.prompt, r.max_tokens) for r in asked] == [((120, 63), 6)] * 3 + [((120, 63, 97, 98), 4)] * 3
    assert len({r.seed for r in asked}) == 6
    assert values[2:] == [-1.0, 1.0, -1.0]
    assert all(x is not None and -1 <= x <= 1 for x in values)
    assert rollouts(run, NODES)[2:] == [None, None, None]
    assert by(run, NODES[2:]) == values[2:]


def test_a_rollout_is_judged_with_what_it_completes(session):
    """Every rollout that ends has the reward of the whole answer; those that are cut are wrong."""
    seen = []

    def spied(completions):
        seen.extend(completions)
        return [None] * len(completions)

    verdict = Verdict((resolve(spied),), finished=False)
    assert Rollouts(verdict, session.sampling(samples=2), "here")(session.run, NODES[1:2]) == [None]
    assert all(text.startswith("ab") for text in seen)
    assert len(seen) == 2
