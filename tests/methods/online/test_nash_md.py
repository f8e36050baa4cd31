import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.online.group import per_answer

pytestmark = pytest.mark.paper("000-text:Nash-LHF")

NASH_MD, REINFORCE = load("online/nash_md"), load("online/reinforce")
OPPONENT = answer(train=False, logp=[-1.0], old_logp=[-1.0], ref_logp=[-1.0], reward=0.0, group=0, author=1)


def game(win, ref_logp, tau=0.1):
    mine = answer(logp=[-1.0, -1.0], old_logp=[-1.0, -1.0], ref_logp=ref_logp, reward=win, group=0, author=0)
    return step(configure(NASH_MD, {"tau": tau}), mine, OPPONENT)


def test_the_kl_of_the_answer_is_charged_to_every_token():
    """The exact score-function gradient: not each token's log-ratio times its own gradient."""
    early, late = game(0.5, [-2.0, -1.0]), game(0.5, [-1.0, -2.0])
    assert early.gradient("logp") == late.gradient("logp")


def test_an_even_game_at_the_reference_is_at_rest():
    assert per_answer(game(0.5, [-1.0, -1.0]).gradient("logp")) == [0, 0]


def test_without_kl_it_is_reinforce_with_baseline_one_half():
    row = answer(logp=[-1.0, -1.0], rollout_logp=[-1.0, -1.0], reward=0.8)
    theirs = step(REINFORCE, row, states={"baseline": {"mean": 0.5, "weight": 1.0}})
    assert game(0.8, [-2.0, -1.5], tau=0.0).gradient("logp")[0] == pytest.approx(theirs.gradient("logp")[0], abs=1e-15)
