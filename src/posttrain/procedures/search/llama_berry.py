"""LLaMA-Berry: Pairwise Optimization for Olympiad-level Mathematical Reasoning (Zhang et al., 2024), as a whole.

A tree of whole solutions grows for each prompt: a solution is criticised and rewritten, and a pair model says of every
two of a tree which is better. The enhanced Borda count makes values of what it says, which decide where the tree grows.
The best solution is the answer; the policy learns it against the worst.

    argmax Q + c √(ln N / n);    P(a ≻ b) = P(Yes);    Q = α Q_global + (1 - α) Q_local;    Q(s) ← (1-γ) Q(s) + γ Q(s')

All values are computed anew after each comparison, as ranks among few mean nothing among many; then each solution
learns from those that were made of it, the newest first. The local value is the share of its children that it beats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.judges.options import filled
from posttrain.procedures.judging import user
from posttrain.records import Pair, Prompt
from posttrain.search.refinement import (
    FIRST,
    learn_values,
    offspring,
    planted,
    rewritten,
    select_solution,
)
from posttrain.search.tree import Tree
from posttrain.seeds import seed_for
from posttrain.selection.answers import dataset
from posttrain.selection.borda import values
from posttrain.selection.prompts import prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import last_user_message

YES_OR_NO = ("Yes", "No")
CRITIQUE = (
    "<question>\n{question}\n</question>\n<solution>\n{solution}\n</solution>\nSay what is wrong in the solution and "
    "how it would be better. Do not solve the question."
)
REWRITE = (
    "<question>\n{question}\n</question>\n<solution>\n{solution}\n</solution>\n<critique>\n{critique}\n</critique>\n"
    "Write a better solution."
)
QUESTION = (
    "<question>\n{question}\n</question>\n<solution_1>\n{first}\n</solution_1>\n<solution_2>\n{second}\n</solution_2>\n"
    "Is solution 1 better than solution 2? Reply with Yes or No alone."
)
Wins = dict[tuple[int, int, int], float]  # (tree, node, other node) -> P(the node is better)


def llama_berry(
    session: Session,
    prompts: Dataset,
    *,
    rollouts: int = 8,
    children: int = 2,
    exploration: float = 1.4,
    alpha: float = 0.9,
    gamma: float = 0.1,
    speaker: str = "policy",
    judge: str = "policy",
    critique: str = CRITIQUE,
    rewrite: str = REWRITE,
    question: str = QUESTION,
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Solve each prompt -> rollouts of: criticise, rewrite, compare -> learn from the best and the worst solution.

    Settings:
        rollouts: solutions that are rewritten for each prompt; at least 1, 8 to 16 in the paper.
        children: rewritten solutions after which a better one of them is followed; at least 1, 2 in the paper.
        exploration: c of UCT; at least 0, 1.4 in the paper.
        alpha: α, weight of the value among all solutions against that among its children; 0 to 1, 0.9 in the paper.
        gamma: γ, how far a solution learns from one that was made of it; 0 to 1, 0.1 in the paper.
        speaker: model that solves, criticises and rewrites; any of `models`, or policy.
        judge: model that compares two solutions; any of `models`, or policy.
        critique: request to criticise; any text with {question} and {solution}.
        rewrite: request to rewrite; any text with {question}, {solution} and {critique}.
        question: request to compare; any text with {question}, {first} and {second} to which it replies Yes or No.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        dpo: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    asked = prompts_of(prompts)
    trees = [planted(said) for (said,) in session.ask("solutions", speaker, asked)]
    wins: Wins = {}
    for n in range(1, rollouts + 1):
        nodes = [select_solution(t, children=children, exploration=exploration) for t in trees]
        made = refined(session, n, speaker, asked, trees, nodes, critique, rewrite)
        wins |= compared(session, f"judged-{n}", judge, question, asked, trees, made)
        for i, tree in enumerate(trees):
            learn_values(tree, values(table(wins, i, tree), offspring(tree), weight=alpha), rate=gamma)
    session.artefact("trees", {last_user_message(p.prompt): shown(t) for p, t in zip(asked, trees, strict=True)})
    session.copy("policy", "reference")
    pairs = [pair for p, tree in zip(asked, trees, strict=True) if (pair := best_and_worst(p, tree))]
    return session.train(method, dataset(pairs, "best and worst"), rewards=(), **dpo)


def shown(tree: Tree) -> list[dict[str, Any]]:
    """Return the solutions of a tree for people to read; `of` is the number of the one that was rewritten."""
    return [{"of": n.parent, "solution": n.step.text, "value": n.value, "visits": n.visits} for n in tree.nodes[FIRST:]]


def refined(
    session: Session,
    n: int,
    speaker: str,
    asked: Sequence[Prompt],
    trees: Sequence[Tree],
    nodes: Sequence[int],
    critique: str,
    rewrite: str,
) -> list[int | None]:
    """Criticise and rewrite a solution of each tree. Returns the new nodes; None where the same was there before."""
    texts = [
        {"question": last_user_message(p.prompt), "solution": t[i].step.text}
        for p, t, i in zip(asked, trees, nodes, strict=True)
    ]
    said = session.ask(f"critique-{n}", speaker, [user(filled(critique, **x)) for x in texts])
    requests = [user(filled(rewrite, **x, critique=c)) for x, (c,) in zip(texts, said, strict=True)]
    better = session.ask(f"rewrite-{n}", speaker, requests)
    return [rewritten(t, i, text) for t, i, (text,) in zip(trees, nodes, better, strict=True)]


def compared(
    session: Session,
    name: str,
    judge: str,
    question: str,
    asked: Sequence[Prompt],
    trees: Sequence[Tree],
    made: Sequence[int | None],
) -> Wins:
    """Ask of each new solution and each other one of its tree, in both orders, whether the first is better."""
    couples = [
        (i, a, b)
        for i, (tree, new) in enumerate(zip(trees, made, strict=True))
        if new is not None
        for other in range(FIRST, new)
        for a, b in permutations((new, other))
    ]
    texts = [
        filled(
            question,
            question=last_user_message(asked[i].prompt),
            first=trees[i][a].step.text,
            second=trees[i][b].step.text,
        )
        for i, a, b in couples
    ]
    said = session.choose(name, judge, [user(text) for text in texts], YES_OR_NO)
    return {couple: yes for couple, (yes, _) in zip(couples, said, strict=True)}


def table(wins: Mapping[tuple[int, int, int], float], i: int, tree: Tree) -> list[list[float]]:
    """Return P(a is better than b) for every two solutions of tree i; the diagonal is not read."""
    nodes = range(FIRST, len(tree.nodes))
    return [[wins.get((i, a, b), 0.5) for b in nodes] for a in nodes]


def best_and_worst(p: Prompt, tree: Tree) -> Pair | None:
    """Return the best solution of a tree against the worst; None where they say the same."""
    order = tree.ranked(range(FIRST, len(tree.nodes)))
    best, worst = (tree[n].step.text for n in (order[0], order[-1]))
    if best == worst:
        return None
    return Pair(seed_for("refined", p.id, best, worst), p.prompt, best, worst, p.columns, p.where)
