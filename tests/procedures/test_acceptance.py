"""A round that does not improve the held-out score is taken back."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.procedures.acceptance import Gate
from tests.harness.mutants import Logic, survivors
from tests.harness.runs import SUMS, Interrupt, PowerCut, run, same_bits
from tests.harness.scripted_session import ScriptedSession
from tests.procedures.running import BRIEF, content

SCORES = {"before the rounds": 0.5} | {f"after round {n}": x for n, x in enumerate((0.4, 0.7, 0.7, 0.6, 0.8), 1)}


def accepted(rule="better", scores=SCORES):
    """The policy after each round, if each makes one of its own."""
    session = ScriptedSession(held_out=scores)
    gate, after = Gate(session, rule), []
    for n in range(1, len(SCORES)):
        session.weights["policy"] = f"#{n}"
        gate.judge(n)
        after.append(session.weights["policy"])
    return after, session.transcript


@pytest.mark.paper("000:[11]")
def test_a_round_is_accepted_if_and_only_if_the_score_rises():
    """Round 3 is as good as round 2 and no better; round 4 is held against round 2, the last accepted one."""
    after, said = accepted()
    assert after == ["start", "#2", "#2", "#2", "#5"]
    assert [line for line in said if line.startswith("note")] == [
        "note round 1 is taken back: 0.4 on held-out data is not above 0.5",
        "note round 3 is taken back: 0.7 on held-out data is not above 0.7",
        "note round 4 is taken back: 0.6 on held-out data is not above 0.7",
    ]


def test_without_a_gate_nothing_is_measured():
    assert accepted("always") == (["#1", "#2", "#3", "#4", "#5"], [])


def test_without_held_out_data_it_says_what_to_write():
    with pytest.raises(ConfigError, match="set `evaluate: {data"):
        accepted(scores={})


@pytest.mark.parametrize("function", [Gate.__init__, Gate.judge, Gate._score])
def test_a_broken_gate_is_noticed(function):
    tests = [
        test_a_round_is_accepted_if_and_only_if_the_score_rises,
        test_without_a_gate_nothing_is_measured,
        test_without_held_out_data_it_says_what_to_write,
    ]
    assert survivors(function, Logic, tests) == set()


@pytest.mark.paper("000:[11]")
def test_a_run_that_never_improves_ends_where_it_began_and_resumes(tmp_path):
    """The reward is a constant, so no round is better, however much it trains."""
    given = content("raft", tmp_path, rounds=2, prompts_per_round=8, sft={"steps": 2})
    (tmp_path / "mine.py").write_text("def digits(completions):\n    return [1.0 for _ in completions]\n")
    given |= {"evaluate": {"data": f"{SUMS},size=4"}}
    gated = {**given, "procedure": {**given["procedure"], "accept": "better"}}
    kept, one = run(given, tmp_path / "kept", *BRIEF), run(gated, tmp_path / "one", *BRIEF, "procedure.rounds=1")
    with pytest.raises(Interrupt):
        run(gated, tmp_path / "two", *BRIEF, display=PowerCut(3))
    two = run(gated, tmp_path / "two", *BRIEF, resume=True)
    assert same_bits(one, two)
    assert not same_bits(kept, two)
