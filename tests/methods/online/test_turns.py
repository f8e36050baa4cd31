"""Credit for turns: with one turn a method is what it was, bit for bit; what others wrote changes nothing."""

from dataclasses import replace

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.data.collate import collate, episode_row
from posttrain.records import Episode, Prompt, Segment
from posttrain.rewards.credits import turn_credits, with_dense
from tests.harness import generated
from tests.harness.numbers import step
from tests.methods.golden.turns import HALF, VALUED, conversation
from tests.methods.online.group import flat

PPO, PPO_DENSE, REINFORCE, GRPO = (load(f"online/{n}") for n in ("ppo", "ppo_dense", "reinforce", "grpo"))
TURN_PPO, TURN_GRPO = load("online/turn_ppo"), load("online/turn_grpo")
NO_KL = {"kl_weight": 0.0}


def in_turns(method, data, number):
    """The same batch as conversations: the turn of each token, and the reward at the last token of each row."""
    made = {}
    for name, b in data.items():
        reward = torch.randn(b["rows"].count, generator=torch.Generator().manual_seed(3))
        own = {"reward": reward, "dense_reward": b["rows"].at_last(reward), "turn": number(b["rows"])}
        own["conversation"] = b["row_id"]
        made[name] = b.add(own, {"reward": "B", "dense_reward": "T", "turn": "T", "conversation": "B"})
    return made


def same_training(one, other, data):
    (ours, mine, _), (theirs, others, _) = (
        generated.trained(m, data, generated.networks(one, data), tokens=40) for m in (one, other)
    )
    assert ours == theirs
    for a, b in zip(mine.gradients, others.gradients, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in b)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("online/ppo", {"lam": 0.9}, {"discount": "turns", "turn_gamma": 0.7, "lam": 0.9}),
        ("online/reinforce", {}, {"discount": "turns", "turn_gamma": 0.7}),
        ("online/a2c", {}, {"discount": "turns", "turn_gamma": 0.7}),
        ("online/grpo", {}, {"turn_gamma": 0.7}),
        ("online/grpo", {}, {"standardise": "returns", "among": "group"}),
    ],
)
def test_with_one_turn_it_is_what_it_was_bit_for_bit(path, old, new):
    """In float32: metrics and every gradient. GRPO's variant is turn_grpo, the others are the method with a setting."""
    method = configure(load(path), old)
    changed = configure(TURN_GRPO if path == "online/grpo" else load(path), new)
    data = in_turns(method, generated.batches(method), lambda rows: torch.zeros_like(rows.index))
    same_training(method, changed, data)


def test_turns_of_one_token_are_ppo_bit_for_bit():
    settings = {"lam": 0.9, "passes": 2}
    method = configure(PPO_DENSE, {"gamma": 0.97, **settings})
    data = in_turns(method, generated.batches(PPO), lambda rows: rows.position())
    same_training(method, configure(TURN_PPO, {"turn_gamma": 0.97, **settings}), data)


@pytest.mark.parametrize("settings", [{}, {"standardise": "returns"}])
def test_where_only_last_turns_are_rewarded_every_turn_has_the_advantage_of_its_conversation(settings):
    rewarded = [conversation([0.0, 0.0, 0.0, r], [0, 0, 1, 1], number=n) for n, r in enumerate((1.0, 0.0, 3.0))]
    ours = step(configure(TURN_GRPO, settings), *rewarded)
    assert flat(ours.value("advantage")) == pytest.approx(flat(step(GRPO, *rewarded).value("advantage")), abs=1e-12)


def test_the_return_of_a_turn_is_discounted_at_turn_ends_alone():
    """Rewards 1.2, -1, 4 of three turns at γ = 1/2: 1.2 - 0.5 + 1, -1 + 2, 4; the reward within a turn comes first."""
    method = configure(REINFORCE, {"discount": "turns", **HALF})
    found = step(method, VALUED).value("advantage")[0]
    assert found == pytest.approx([1.7, 1.5, 1.0, 1.0, 4.0])


def test_golden_of_tokens_by_gae_over_turns():
    """λ = 1/2, γ = 1/2 behind the second and the fourth token."""
    method = configure(PPO_DENSE, {"discount": "turns", **HALF, "lam": 0.5, **NO_KL})
    v, r = [1.0, 9.0, 2.0, -9.0, 3.0], [0.2, 1.0, 0.0, -1.0, 4.0]
    rate, credit = [1, 0.5, 1, 0.5, 0], [0.0] * 6
    for t in reversed(range(5)):
        credit[t] = r[t] + rate[t] * (v + [0.0])[t + 1] - v[t] + rate[t] * 0.5 * credit[t + 1]
    assert step(method, VALUED).value("credit")[0] == pytest.approx(credit[:5])


def test_a_constant_on_the_rewards_of_the_same_turns_and_another_scale_do_not_matter():
    rewards = ([1.0, 3.0, 0.5], [0.0, 1.0, 2.0])
    plain = [conversation(r, [0, 1, 2], number=n) for n, r in enumerate(rewards)]
    moved = [conversation([2 * r[0] + 5, 2 * r[1] - 1, 2 * r[2]], [0, 1, 2], number=n) for n, r in enumerate(rewards)]
    ours, theirs = (flat(step(TURN_GRPO, *x).value("advantage")) for x in (plain, moved))
    assert ours == pytest.approx(theirs, abs=1e-5)


# ---- from episodes


def episode(*turns, sample=0, observation=(7, 8)):
    """A conversation in which the environment answers two tokens between turns of two, with a reward for each turn."""
    segments: list[Segment] = []
    for n, reward in enumerate(turns):
        segments += [Segment(observation, None, None)] if n else []
        segments.append(Segment((3, 4), (-1.0, -2.0), text="ab", reward=reward))
    e = Episode(Prompt(1, "?"), 0, sample, (1, 2), tuple(segments), sum(turns))
    return with_dense(replace(e, credits={"environment": turn_credits(e, turns)}), {"environment": 1.0})


def credited(method, *episodes):
    wanted = {"turn", "conversation", "dense_reward"}
    rows = [episode_row(e, train=True, temperature=1.0, step=0, wanted=wanted) for e in episodes]
    data = collate(rows)
    data = data.add({"old_value": torch.arange(len(data["tokens"])).float()}, {"old_value": "T"})
    data = data.add({"token_reward": data["dense_reward"]}, {"token_reward": "T"})
    values = dict(data)
    for name in ("turn_value", "credit", "advantage"):
        if name in method.derived:
            values[name] = method.derived[name].part(values)
    return values


def test_turns_are_numbered_over_what_the_environment_wrote():
    row = episode_row(episode(1.0, 2.0), train=True, temperature=1.0, step=0, wanted={"turn"})
    assert row.columns["turn"] == (0, 0, 0, 0, 0, 0, 1, 1)


def test_an_author_whose_answer_a_guide_began_has_one_turn():
    parts = (Segment((3,), (-1.0,), guided=True), Segment((4,), (-1.0,)), Segment((5,), (-1.0,), author=1))
    row = episode_row(Episode(Prompt(1, "?"), 0, 0, (1,), parts), train=True, temperature=1.0, step=0, wanted={"turn"})
    assert row.columns["turn"] == (0, 0, 0, 1)


@pytest.mark.parametrize("method", [configure(TURN_PPO, HALF), configure(PPO_DENSE, {"discount": "turns", **HALF})])
def test_the_value_behind_a_turn_is_that_of_the_next_token_of_the_model(method):
    """Values are the places 0 to 7 of the tokens: the second turn begins at 6, what stands at 4 and 5 is not read."""
    values = credited(configure(method, {"lam": 0.0}), episode(1.0, 2.0))
    first = values["credit"][2 if "turn_value" in values else 3]
    assert float(first) == 1.0 + 0.5 * 6 - (2 if "turn_value" in values else 3)
    assert not values["credit"][4:6].any()


@pytest.mark.parametrize("method", [TURN_PPO, TURN_GRPO, configure(TURN_GRPO, {"among": "group"})])
def test_what_the_environment_said_changes_nothing(method):
    one = [episode(1.0, 2.0), episode(0.5, 1.0, 3.0, sample=1)]
    other = [episode(1.0, 2.0, observation=(9, 9)), episode(0.5, 1.0, 3.0, sample=1, observation=(5, 6))]
    name = "credit" if method is TURN_PPO else "advantage"
    found = [credited(method, *e)[name] for e in (one, other)]
    assert torch.equal(*found)
    assert found[0].any()


def test_with_gamma_1_the_first_turn_of_a_conversation_gets_what_all_its_turns_earn():
    values = credited(configure(TURN_PPO, {"lam": 1.0}), episode(1.0, 2.0, 4.0))
    assert float(values["credit"][2]) == 7.0 - 2.0
