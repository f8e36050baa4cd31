"""Step-level Value Preference Optimization for Mathematical Reasoning (Chen et al., 2024), as a whole.

Monte Carlo tree search in the policy's own steps finds which of two steps leads to right answers more often. The policy
learns from these pairs of steps, a value head learns how good each step is, and a beam that the head guides answers
questions that were held out.

    tree: PUCT, z = ±1 by the rewards;    pairs: Q(s) - Q(s') > margin;    L of preference/svpo;    beam by V

In the first round, answers that are not over are valued by what becomes of `rollouts` completions, in later rounds by
the value head, `models.critic`. `models: {critic: policy}` is a head on the policy, as in the paper, and saved with it.
"""

from __future__ import annotations

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.procedures.searching import VALUE, answers, estimate, right
from posttrain.search.search import Search
from posttrain.search.step_pairs import step_pairs
from posttrain.search.strategies.beam import beam
from posttrain.search.strategies.mcts import mcts
from posttrain.selection.answers import dataset
from posttrain.selection.prompts import prompts_of
from posttrain.training.estimates import Verdict
from posttrain.training.searching import Cut
from posttrain.training.session import NO_OPTIONS, Options, Session


def svpo(
    session: Session,
    prompts: Dataset,
    held_out: Dataset | None = None,
    *,
    rounds: int = 1,
    simulations: int = 40,
    branching: int = 5,
    depth: int = 8,
    exploration: float = 1.5,
    rollouts: int = 0,
    margin: float = 0.0,
    accepted: float = 0.0,
    finished: bool = True,
    boundary: str = "\n",
    step_tokens: int | None = None,
    width: int = 3,
    svpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: search trees of steps -> pairs of steps -> preference/svpo; then a guided beam on `held_out`.

    Settings:
        rounds: number of rounds; at least 1.
        simulations: nodes of a tree that grow; at least 1, 40 in the paper.
        branching: steps that are drawn behind each; at least 2, 5 in the paper.
        depth: steps of an answer at most; at least 1, 8 in the paper.
        exploration: c of PUCT, weight of the prior against the mean value; at least 0, 1.5 in the paper.
        rollouts: completions by which open nodes are valued in the first round; 0 (they count as 0) or more.
        margin: difference of Q that a pair of steps must exceed; 0 or more, below 2.
        accepted: reward above which an answer is right; any number, 0 suits rewards of 0 and 1.
        finished: whether an answer that was cut is wrong; false suits models that never end their answers.
        boundary: text that ends a step; any text that is not empty.
        step_tokens: tokens of a step at most; at least 1, null leaves it to the boundary.
        width: partial answers that the guided beam keeps; at least 1, 1 to 5 in the paper.
        svpo: options of every stage of training: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy("policy", "reference")
    cut, verdict = Cut(boundary, step_tokens), Verdict(session.rewards(), accepted, finished)
    shape = {"branching": branching, "depth": depth}
    tree = Search("mcts", mcts, tuple({"simulations": simulations, "exploration": exploration, **shape}.items()))
    for n in range(1, rounds + 1):
        worth = estimate(session, f"trees-{n}", verdict, rollouts=rollouts, value=n > 1)
        found = session.search(f"trees-{n}", prompts_of(prompts), tree, worth, session.sampling(), cut=cut)
        pairs = step_pairs(found, margin=margin)
        metrics = session.train("preference/svpo", dataset(pairs, f"steps {n}"), rewards=(), **svpo)
    if held_out is None:
        return metrics
    asked = prompts_of(held_out)
    guided = Search("beam", beam, tuple({"width": width, **shape}.items()))
    found = session.search("guided", asked, guided, VALUE, session.sampling(), cut=cut)
    by_value = session.score_again("guided answers", answers(found))
    greedy = session.collect("greedy", asked, Sampling(temperature=0.0))
    return {**metrics, "right/guided": right(by_value, verdict), "right/greedy": right(greedy, verdict)}
