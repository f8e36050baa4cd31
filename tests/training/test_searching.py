"""Searches with models: what is drawn, that its log-probs are exact, and that an interrupted search goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.formulas.losses.scores import sum_logp
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.runs.pieces import Pieces
from posttrain.sampling.stop import Stop
from posttrain.search.search import Search
from posttrain.search.step_pairs import step_pairs
from posttrain.search.strategies.beam import beam
from posttrain.search.strategies.best_of_n import best_of_n
from posttrain.search.strategies.mcts import mcts
from posttrain.training import measures
from posttrain.training.estimates import Modelled
from posttrain.training.searching import Cut
from posttrain.training.session import Session
from tests.harness.runs import Interrupt

BEAM = Search("beam", beam, (("branching", 3), ("depth", 3), ("width", 2)))
LIKELY = Modelled(sum_logp)  # of the last step
STEPS = Cut("e", 3)
PROMPTS = [Prompt(i, f"{i}+1=") for i in range(2)]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    given = {"model": "tiny", "sampling": {"max_tokens": 8, "slots": 8}}
    with open_session(load(given, complete=False), write=False) as opened:
        yield opened


def test_steps_end_at_the_boundary_or_their_limit_and_answers_at_theirs(session):
    (one, _) = session.search("steps", PROMPTS, BEAM, LIKELY, session.sampling(), cut=STEPS)
    tree = one.tree
    for n in range(1, len(tree.nodes)):
        step = tree[n].step
        assert len(step.tokens) <= 3
        assert len(tree.answer(n).tokens) <= 8
        assert "e" not in step.text[:-1]
        assert len(step.tokens) == 3 or step.text.endswith("e") or step.ended or tree.room(n) == 0
    assert {tree[n].depth for n in one.answers} == {3}
    assert one.episode(one.best).tokens == tree.answer(one.best).tokens


def test_log_probs_are_those_of_the_model_and_a_value_is_of_the_last_step(session):
    (one, _) = session.search("logp", PROMPTS, BEAM, LIKELY, session.sampling(), cut=STEPS)
    nodes = range(1, len(one.tree.nodes))
    whole = measures.scored(session.run, [one.episode(n) for n in nodes], sum_logp)
    for n, e in zip(nodes, whole, strict=True):
        assert sum(e.logp) == pytest.approx(e.reward, abs=1e-4)
        assert one.tree[n].value == pytest.approx(sum(one.tree[n].step.logp), abs=1e-4)


def test_whole_answers_are_one_step_and_do_not_end_at_boundaries(session):
    how = Search("best_of_n", best_of_n, (("n", 4),))
    found = session.search("whole", PROMPTS, how, LIKELY, session.sampling(), cut=STEPS)
    steps = [n.step for f in found for n in f.tree.nodes[1:]]
    assert any("e" in s.text[:-1] or len(s.tokens) > 3 for s in steps)
    assert all(len(s.tokens) == 8 or s.ended for s in steps)


def test_the_name_of_a_search_and_the_number_of_a_sample_are_its_randomness(session):
    same = session.search("logp again", PROMPTS, BEAM, LIKELY, session.sampling(), cut=STEPS)
    other = session.search("another", PROMPTS, BEAM, LIKELY, session.sampling(), cut=STEPS)
    assert same[0].tree.state() != other[0].tree.state()
    for f in same:
        assert len({n.step.tokens for n in f.tree.nodes[1:4]}) == 3


def test_an_interrupted_search_goes_on_and_repeats_nothing(session, monkeypatch):
    """Cut in the second wave of draws; what was kept has been JSON."""
    how = Search("mcts", mcts, (("branching", 2), ("depth", 3), ("simulations", 5)))
    kept, calls = Pieces(), []
    run, generate = session.run, session.run.generate

    def counted(requests: Any, source: Any, *more: Any) -> Any:
        calls.append(len(requests))
        if len(calls) == 3:
            raise Interrupt
        return generate(requests, source, *more)

    def search() -> list[dict[str, Any]]:
        run.journal.names.clear()
        found = session.search("cut", PROMPTS, how, LIKELY, session.sampling(), cut=STEPS)
        return [f.state() for f in found]

    whole = search()
    monkeypatch.setattr(run.journal, "pieces", lambda _: kept)
    monkeypatch.setattr(run, "generate", counted)
    with pytest.raises(Interrupt):
        search()
    assert len(kept.known) == 4
    assert search() == whole
    assert len(calls) == 6


def test_a_pair_of_steps_has_the_tokens_that_were_drawn_and_trains_the_steps(session):
    how = Search("mcts", mcts, (("branching", 3), ("depth", 3), ("simulations", 9)))
    found = session.search("pairs", PROMPTS, how, LIKELY, session.sampling(), cut=STEPS)
    pairs = step_pairs(found)
    assert any(p.chosen.read for p in pairs)
    for p in pairs:
        asked = next(f.asked for f in found if f.prompt.prompt == p.prompt)
        for row, answer in zip(session.run.encoder.rows(p, "pairs"), (p.chosen, p.rejected), strict=True):
            read = len(asked) + answer.read
            assert row.tokens == asked + answer.tokens
            assert row.trained == (False,) * read + (True,) * (len(row.tokens) - read)


def test_a_string_that_ends_answers_ends_a_step_and_its_answer(session, monkeypatch):
    """`sampling.stop: [o]`; a step ends at (."""
    monkeypatch.setattr(session.run, "stop", Stop.at(["o"], session.run.encoder.tokenizer))
    how = Search("beam", beam, (("branching", 96), ("depth", 1), ("width", 8)))
    (one,) = session.search("stops", PROMPTS[:1], how, LIKELY, session.sampling(), cut=Cut("("))
    steps = [n.step for n in one.tree.nodes[1:]]
    by_string = [s for s in steps if s.text.endswith("o")]
    assert by_string
    assert all(s.ended for s in by_string)
    assert any(s.text.endswith("(") and not s.ended for s in steps)
    assert not any("o" in s.text[:-1] or "(" in s.text[:-1] for s in steps)


def test_a_step_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="holds nothing"):
        Cut("")
    with pytest.raises(ConfigError, match="a step of 0 tokens"):
        Cut(tokens=0)


def test_keys_and_values_are_freed_after_a_search(session):
    session.search("freed", PROMPTS, BEAM, LIKELY, session.sampling(), cut=STEPS)
    assert session.run.sampler.engine.cache is None
    assert torch.is_grad_enabled()
