"""The scenarios notice: every line of a procedure is broken in every small way (tests/harness/mutants.py)."""

from __future__ import annotations

import sys
from statistics import fmean

import pytest
import torch

from posttrain.catalogue import index as catalogue
from posttrain.procedures import judging, learning_rate, searching, stage_rewards
from posttrain.selection.pairs import pairs as paired
from tests.harness.mutants import Logic, functions_of, notices, survivors
from tests.procedures.transcripts import SCENARIOS

# Mutants that do the same thing.
EQUIVALENT: dict[str, set[str]] = {
    "active/dual_active_learning": {
        "drop dtype: torch.tensor([rationality.get(name, 1.0) for name in teachers], dtype=torch.float64)",  # precision
        "swap: states[::2] - states[1::2]",  # a design reads squares
    },
    "active/efficient_exploration": {
        "to GtE: reward_of(one) > reward_of(other)",  # equal rewards are no label
        "swap arguments: labels(one, other, 1)",  # which orders them by reward
        "drop dtype: torch.tensor(session.embed(f'states-{n}', demonstrations(answers)), dtype=torch.float64)",
    },
    "reward/laplace": {
        "swap: states[::2] - states[1::2]",  # squared
        "drop dtype: torch.eye(states.shape[1], dtype=torch.float64)",  # precision
        "drop dtype: torch.tensor(session.measure('gaps', pairs, pairwise(gap, row_score)), dtype=torch.float64)",
    },
    "active/online_offline_gap": {"drop if: isinstance(p, Pair)"},  # the data are pairs
    "active/optimal_design": {
        "drop dtype: torch.tensor(session.embed('states', demonstrations(answers)), dtype=torch.float64)",  # precision
        "swap: states[i] - states[j]",  # a design reads squares
        "swap arguments: labelled(known[i], known[j], n)",  # which orders them by reward
    },
    "feedback/con_j": {
        "drop if: isinstance(p, Pair)",  # the data are pairs
        "add 1: 1",  # there is one judgement with each hint
    },
    "feedback/critic_rm": {"drop if: isinstance(p, Pair)"},
    "feedback/hrlaif": {"to GtE: ahead(p) > 0"},  # it is not 0 there
    "feedback/predilect": {"drop if: isinstance(p, Pair)"},
    "feedback/rbr": {"drop if: isinstance(p, Pair)"},
    "feedback/synthetic_critiques": {"drop if: isinstance(p, Pair)"},
    "games/seqgan": {
        "drop where: Rating(seed_for('rated', r.id, label), r.prompt, r.completion, label, where=r.where)",  # messages
        "drop if: isinstance(r, Demonstration)",  # the data are demonstrations
    },
    "games/llamac": {
        "drop where: Demonstration(p.id, p.prompt, p.columns['plan'], where=p.where)",  # messages
        "add 1: 0",  # of plans that nobody sampled
        "not: True",
    },
    "games/werewolf": {
        "to Lt: x <= u * x[-1]",  # a lot that falls on the border
        "unwrap: int((x <= u * x[-1]).sum())",  # a tensor of one number
    },
    "rounds/retroformer": {
        "drop where: Rating(identity(e), e.prompt.prompt, answer(e), reward_of(e) > threshold, where=e.prompt.where)",
    },  # messages
    "pipelines/almupqa": {"swap arguments: zip(weights, x, strict=True)"},  # a product
    "pipelines/bsad": {"to LtE: x < y"},  # two different answers
    "pipelines/chain_of_hindsight": {"drop if: isinstance(p, Pair)"},  # the data are pairs
    "prompts/gpo": {"swap arguments: word_distance(present, made or '')"},  # a distance
    "prompts/rlprompt": {"+ to -: i + 1", "add 1: 1"},  # a message
    "prompts/tempera": {"unwrap: last_user_message(p.prompt)"},  # a conversation is read by its last message
    "reward/proto_rm": {  # precision
        "drop dtype: torch.tensor(session.embed('states', pairs, role='reward'), dtype=torch.float64)"
    },
    "pipelines/medaide": {"drop if: isinstance(d, Demonstration)"},  # the data are demonstrations
    "pipelines/quality_feedback": {  # of answers that nobody sampled
        "drop if: isinstance(d, Demonstration)",  # the data are demonstrations
        "add 1: 0",
        "not: True",
    },
    "search/rlot": {"add 1: 1"},  # behind the horizon every solution has come to its end
    "worlds/stable_baselines": {  # a file that tests/procedures/test_every_procedure.py looks for
        f"{kind}: keep_weights({{f'{{name}}-{{n}}': model for name, those in models.items() "
        "for n, model in enumerate(those)}, file)"
        for kind in ("drop", "unwrap")
    },
    "rounds/star": {"drop samples: session.sampling(samples=1, temperature=0.0)"},  # the default
}


def uniform(vectors: torch.Tensor) -> torch.Tensor:
    return torch.full((len(vectors),), 1 / len(vectors))


REPLACED = {  # procedure: a function that it stands on, and one in its place that does not select
    "active/optimal_design": ("posttrain.selection.optimal_design.optimal_design", uniform),
    "active/kl_ucb": ("posttrain.selection.bandit_arms.optimistic", lambda rewards, width: fmean(rewards or [0.0])),
    "active/popl": ("posttrain.selection.lexicase.contrasting", lambda found, differences, count: found[:1]),
    "rounds/dice": ("posttrain.procedures.rounds.dice.pairs_of_equal_length", paired),
    "rounds/quark": (
        "posttrain.procedures.rounds.quark.quantiles",
        lambda pool, levels: [[*pool], *[[]] * (levels - 1)],
    ),
    "zeroth_order/zo_ranksgd": (
        "posttrain.procedures.zeroth_order.zo_ranksgd.rank_weights",
        lambda x, k: [0.1] * len(x),
    ),
}


@pytest.mark.parametrize("path", REPLACED)
def test_a_selection_that_does_not_select_is_noticed(path, monkeypatch):
    monkeypatch.setattr(*REPLACED[path])
    assert notices([s.check for s in SCENARIOS if s.path == path])


@pytest.mark.parametrize("path", catalogue.procedures())
def test_a_broken_procedure_is_noticed(path):
    """The procedure and the helpers of its file."""
    tests = [s.check for s in SCENARIOS if s.path == path]
    assert not notices(tests)
    functions = functions_of(sys.modules[catalogue.load_procedure(path).__module__])
    assert set().union(*(survivors(fn, Logic, tests) for fn in functions)) == EQUIVALENT.get(path, set())


def test_a_broken_helper_of_several_procedures_is_noticed():
    tests = [s.check for s in SCENARIOS if s.path in ("pipelines/llama3_rounds", "rounds/rest")]
    for fn in functions_of(learning_rate):
        assert not survivors(fn, Logic, tests), fn.__name__


def test_a_broken_choice_of_rewards_is_noticed():
    tests = [s.check for s in SCENARIOS if s.path == "pipelines/deepseek_v2"]
    for fn in functions_of(stage_rewards):
        assert not survivors(fn, Logic, tests), fn.__name__


def test_a_broken_helper_of_searches_is_noticed():
    tests = [s.check for s in SCENARIOS if s.path == "search/svpo"]
    for fn in functions_of(searching):
        assert not survivors(fn, Logic, tests), fn.__name__


def test_a_broken_helper_of_judges_is_noticed():
    callers = ("feedback/rlaif", "feedback/hrlaif", "pipelines/bsad", "games/dno")
    tests = [s.check for s in SCENARIOS if s.path in callers]
    same = {
        "to LtE: seed_for(session.seed(name, 'flip'), p.id) < share * SEEDS",  # one number of so many
        "drop if: isinstance(p, Pair)",  # the data are pairs
    }
    assert set().union(*(survivors(fn, Logic, tests) for fn in functions_of(judging))) == same
