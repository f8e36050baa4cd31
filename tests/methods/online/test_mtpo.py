"""MTPO on a small game of conversations: its iterates reach the equilibrium, and its gradient is that of the game."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.rows import Rows
from tests.harness.enumerated import Exact, Tabular, batch, game, variation
from tests.harness.numbers import step
from tests.methods.golden.turns import held

pytestmark = pytest.mark.paper("shani202491k")

MTPO, MIXTURE, NASH_MD = (load(f"online/{n}") for n in ("mtpo", "mtpo_mixture", "nash_md"))
FIRST, SECOND, TAU = 2, 3, 0.15  # actions of the first and of the second turn; a conversation is one of each
# Three kinds of conversations that beat each other in a circle, and a little luck.
KIND = torch.tensor([0, 1, 2, 1, 2, 0])
LUCK = torch.tensor([0.3, -0.2, 0.1, 0.0, -0.4, 0.5]).double()
BEATS = torch.tensor([[0.0, 3.0, -2.5], [-3.0, 0.0, 2.0], [2.5, -2.0, 0.0]]).double()
WINS = (BEATS[KIND][:, KIND] + LUCK[:, None] - LUCK).sigmoid()
MU = torch.tensor([[0.3, 0.05, 0.15], [0.1, 0.2, 0.2]]).double()  # of whole conversations
MU = MU / MU.sum()


def turns(whole):
    """The distribution of the first action and that of the second after each first one, from that of conversations."""
    first = whole.sum(1)
    return first, whole / first[:, None]


def equilibrium():
    """p ∝ μ exp(P p / τ) over whole conversations, by damped iteration: it knows nothing of turns."""
    p = MU.flatten()
    for _ in range(400):
        p = p**0.9 * (MU.flatten() * (WINS @ p / TAU).exp()) ** 0.1
        p = p / p.sum()
    return p.view(FIRST, SECOND)


def values(whole, mu=MU, wins=WINS):
    """Q and V of both turns against the policy itself, by induction from the last turn."""
    (p1, p2), (m1, m2) = turns(whole), turns(mu)
    q2 = (wins @ whole.flatten() - 0.5).view(FIRST, SECOND)
    v2 = (p2 * (q2 - TAU * (p2 / m2).log())).sum(1)
    v1 = (p1 * (v2 - TAU * (p1 / m1).log())).sum()
    return v2, q2, v1, v2


def credited(whole, mu=MU, lam=0.95):
    """Advantages of both turns of each of the 36 pairs of conversations, by the method's own parts."""
    (p1, p2), (m1, m2) = turns(whole), turns(mu)
    _, _, v1, v2 = values(whole, mu)
    nobody = torch.full((FIRST, SECOND), 9.0)
    rows = Rows(torch.arange(36).repeat_interleave(4), torch.tensor([0, 1, 0, 1] * 36).bool(), 36)
    data = {"rows": rows, "conversation": torch.arange(36), "turn": torch.tensor([0, 0, 0, 1] * 36)}
    first = lambda x: x[:, None].expand(FIRST, SECOND)  # noqa: E731
    at = {
        "old_logp": (first(p1.log()), p2.log()),
        "ref_logp": (first(m1.log()), m2.log()),
        "old_value": (v1.expand(FIRST, SECOND), first(v2)),
    }
    for name, (early, late) in at.items():
        data[name] = torch.stack([nobody, early, nobody, late], 2).view(6, 1, 4).expand(6, 6, 4).flatten()
    data["dense_reward"] = torch.stack([0 * WINS, 0 * WINS, 0 * WINS, WINS], 2).flatten()
    method = configure(MTPO, {"tau": TAU, "lam": lam})
    for name in ("token_reward", "turn_value", "advantage"):
        data[name] = method.derived[name].part(data)
    return data["advantage"].view(6, 6, 4)[..., 1], data["advantage"].view(6, 6, 4)[..., 3]


def expectations(whole, **settings):
    """E[A | x, y] of the first and the second turn."""
    early, late = credited(whole, **settings)
    weight = torch.outer(whole.flatten(), whole.flatten())
    first = (weight * early).sum(1).view(FIRST, SECOND).sum(1) / whole.sum(1)
    return first, ((weight * late).sum(1) / whole.flatten()).view(FIRST, SECOND)


def updated(whole, eta, **settings):
    """π exp(η E[A]), normalised in every state."""
    early, late = expectations(whole, **settings)
    p1, p2 = turns(whole)
    return (p1.log() + eta * early).softmax(0)[:, None] * (p2.log() + eta * late).softmax(1)


SKEWED = torch.tensor([[0.1, 0.3, 0.2], [0.25, 0.05, 0.1]]).double()


@pytest.mark.parametrize("lam", [0.0, 0.95, 1.0])
def test_golden_the_mean_advantage_of_a_turn_is_q_less_v_and_the_kl(lam):
    q1, q2, v1, v2 = values(SKEWED)
    (p1, p2), (m1, m2) = turns(SKEWED), turns(MU)
    early, late = expectations(SKEWED, lam=lam)
    assert torch.allclose(early, q1 - v1 - TAU * (p1 / m1).log(), atol=1e-12)
    assert torch.allclose(late, q2 - v2[:, None] - TAU * (p2 / m2).log(), atol=1e-12)


def test_the_update_is_the_papers_mirror_descent_with_its_exponents():
    eta, (q1, q2, _, _) = 0.7, values(SKEWED)
    (p1, p2), (m1, m2) = turns(SKEWED), turns(MU)
    first = m1 ** (eta * TAU) * p1 ** (1 - eta * TAU) * (eta * q1).exp()
    second = m2 ** (eta * TAU) * p2 ** (1 - eta * TAU) * (eta * q2).exp()
    expected = (first / first.sum())[:, None] * second / second.sum(1, keepdim=True)
    assert torch.allclose(updated(SKEWED, eta), expected, atol=1e-12)


def test_iterates_reach_the_equilibrium_of_the_regularised_game():
    end, policy = equilibrium(), SKEWED
    assert variation(policy, end) > 0.15
    assert torch.allclose(updated(end, 1.0), end, atol=1e-10)
    for _ in range(70):
        policy = updated(policy, 2.0)
    assert variation(policy, end) < 1e-6


def test_no_policy_beats_the_equilibrium_by_more_than_it_pays():
    end, generator = equilibrium(), torch.Generator().manual_seed(0)
    others = torch.rand(50, 6, generator=generator)
    others = others / others.sum(1, keepdim=True)
    own = [p @ WINS @ end.flatten() - TAU * (p * (p / MU.flatten()).log()).sum() for p in (*others, end.flatten())]
    assert max(own) == own[-1]


def test_a_reward_in_place_of_the_preference_ends_elsewhere():
    """The score of how often a conversation beats the reference: in a circle nobody wins against everybody."""
    score = WINS @ MU.flatten()
    rlhf = (MU.flatten() * (score / TAU).exp()).view(FIRST, SECOND)
    assert variation(rlhf / rlhf.sum(), equilibrium()) > 0.1


def test_a_wrong_first_turn_is_blamed_though_the_last_one_decides():
    """Whoever begins with 0 loses whatever follows: the first turn's advantage says so, the second's has no blame."""
    uniform = torch.full((FIRST, SECOND), 1 / 6)
    lost = (torch.arange(6) // SECOND).double()  # of the first action
    wins = (0.5 + 0.4 * (lost[:, None] - lost)).double()
    q1, q2, v1, v2 = values(uniform, uniform, wins)
    assert q1[0] - v1 == pytest.approx(-0.2)
    assert torch.allclose(q2 - v2[:, None], torch.zeros(FIRST, SECOND), atol=1e-12)


# ---- on a model


def played(method, policy, reference):
    """The trainer's gradient over all pairs of conversations of two turns of one token, weighted by the policy."""
    pairs, columns = game(policy, CYCLIC)
    place = lambda k, i: pairs[k] if i == 0 else pairs[k][::-1]  # noqa: E731
    columns = {"dense_reward": lambda k, i: [0.0, 0.0, float(CYCLIC[place(k, i)])], "turn": lambda *_: [0, 0, 1]}
    made = batch(policy, pairs, train=(True, True), conversation=lambda k, i: 2 * k + i, **columns)
    derived = {n: d for n, d in method.derived.items() if n != "returns"}
    plain = variant(method, metrics={}, derived=derived, loss={"policy": method.loss["policy"]})
    critic = Tabular(3, 2, ends=False)
    return Exact(plain, {"policy": policy, "reference": reference, "critic": critic}, {"main": made}), made


GENERATOR = torch.Generator().manual_seed(4)
STRENGTH = torch.randn(9, 9, generator=GENERATOR)
CYCLIC = (STRENGTH - STRENGTH.T).double().sigmoid()


def test_the_expected_gradient_is_that_of_the_regularised_game():
    policy, reference = Tabular(3, 2, seed=1, ends=False), Tabular(3, 2, seed=2, ends=False)
    run, made = played(configure(MTPO, {"tau": 0.2, "lam": 1.0}), policy, reference)
    p = policy.distribution()
    found = run.step({"main": made}, torch.outer(p, p).flatten())
    own, ref = policy.logp().exp(), reference.logp().detach()
    aim = (own * (CYCLIC @ p - 0.2 * (policy.logp() - ref))).sum()
    exact = torch.autograd.grad(-aim, policy.logits)[0]
    assert float((found - exact).norm()) < 1e-10 * float(exact.norm())
    assert float(exact.norm()) > 1e-3


# ---- identities of one batch


def test_with_one_turn_and_no_critic_the_mixture_is_nash_md():
    row = held(0.8, number=0).values | {"turn": [0, 0], "old_value": [0.0, 0.0], "value": [0.0, 0.0]}
    rows = [type(held(0.8, number=0))(row), held(0.2, number=1, train=False)]
    ours, theirs = (step(configure(m, {"tau": 0.3}), *rows) for m in (MIXTURE, NASH_MD))
    assert ours.value("advantage")[0] == pytest.approx(theirs.value("advantage")[0])
    assert ours.gradient("logp")[0] == pytest.approx(theirs.gradient("logp")[0])
    assert MIXTURE.streams["main"] == NASH_MD.streams["main"]


def test_win_or_lose_the_two_conversations_have_opposite_rewards():
    one = step(configure(MTPO, {"tau": 0.0}), held(0.8, number=0), held(0.2, number=1))
    rewards = one.value("token_reward")
    assert rewards[0] == pytest.approx([-x for x in rewards[1]])
