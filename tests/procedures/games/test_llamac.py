"""LLaMAC: plans that are carried out respect the constraints, the rounds end, and few messages are needed."""

import pytest

from posttrain.procedures.games.llamac import llamac
from tests.harness.scripted_session import ScriptedSession, prompts
from tests.procedures.transcripts.agents import ASKED, DIRECTED, directs, without_collisions

pytestmark = pytest.mark.paper("000:[42]")
ROLES = {"critics": ("brave", "shy"), "assessor": "judge", "actor": "crew", **ASKED, "accepted": "Yes|Aye"}


def directed(*texts, speaker=directs, **settings):
    session = ScriptedSession(**{**DIRECTED, "speaker": speaker})
    metrics = llamac(session, prompts(*texts), **{"agents": ["A", "B"], "valid": 0.5, **ROLES, **settings})
    return session, metrics


def test_no_plan_that_is_carried_out_has_a_collision():
    session, _ = directed("x?", "y?")
    trained = next(line for line in session.transcript if line.startswith("train imitation/sft"))
    assert trained.startswith("train imitation/sft on 'plans': y? -> A1 B2; x? -> A1 B3 |")


def test_agents_never_see_a_plan_that_fails_the_check():
    session, _ = directed("x?", "y?")
    assert not [line for line in session.transcript if "replies" in line and "A1 B1" in line]


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_agents_that_always_refuse_end_at_the_limit_of_rounds(rounds):
    refusing = lambda role, text: "no" if role == "crew" else "A1 B2"  # noqa: E731
    session = ScriptedSession(**{**DIRECTED, "speaker": refusing, "scores": without_collisions})
    with pytest.raises(Exception, match="no answer was good enough"):
        llamac(session, prompts("y?"), **{"agents": ["A", "B"], **ROLES, "rounds": rounds})
    assert sum("check" in line for line in session.transcript) == rounds
    assert f"messages={rounds * 5} words={rounds * 8}" in session.transcript[-1]


def test_ten_agents_need_fewer_messages_than_a_debate_of_all_with_all():
    _, metrics = directed("y?", agents=list("ABCDEFGHIJ"))
    assert (metrics["messages"], metrics["debate"]) == (3 + 10, 10 * 9)
