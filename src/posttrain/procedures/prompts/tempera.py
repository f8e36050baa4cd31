"""TEMPERA: Test-Time Prompting via Reinforcement Learning (Zhang et al., 2022).

A small policy edits a prompt for each query: it exchanges solved examples, writes them by other templates, and moves or
leaves out phrases of the instruction. It is trained by PPO on what each edit adds to the score, and needs no label when
it is used.

    r_t = 100 (s_t - s_{t-1}),    s = 2 g where g > 0, else 1.8 g;    g = p(right label) - max p(other)

The rewards of an episode add up to 100 (s_T - s_0). The artefact `editor` holds the policy, `prompts` the prompts that
it makes for `held_out`. Differs from the paper: the policy attends once from the query, where the paper's has three
layers, and phrases are the sentences of the instruction.
"""

from __future__ import annotations

from functools import partial

import torch

from posttrain.data.dataset import Dataset
from posttrain.procedures.few_shot import FewShots
from posttrain.procedures.prompting import Task, compared
from posttrain.search.prompts.editing import Rates, learn
from posttrain.search.prompts.editor import Editor
from posttrain.search.prompts.edits import Edit, FewShot, edits
from posttrain.search.prompts.playing import edited, played
from posttrain.selection.prompts import part_of, prompts_of
from posttrain.training.session import Session
from posttrain.turns import last_user_message

TEMPLATES = ("{question}\n{answer}", "Question: {question}\nAnswer: {answer}", "{question} -> {answer}")


def tempera(
    session: Session,
    prompts: Dataset,
    pool: Dataset,
    held_out: Dataset | None = None,
    *,
    labels: tuple[str, ...],
    instruction: str = "",
    templates: tuple[str, ...] = TEMPLATES,
    shots: int = 4,
    horizon: int = 8,
    rounds: int = 100,
    queries: int = 32,
    solver: str = "policy",
    reader: str = "policy",
    width: int = 64,
    learning_rate: float = 6e-4,
    discount: float = 0.999,
    decay: float = 0.95,
    entropy: float = 0.01,
) -> dict[str, float]:
    """Rounds of: edit prompts for some queries -> PPO on what the edits add; then edit for `held_out`, without labels.

    Settings:
        labels: answers that the solver chooses among, such as [" yes", " no"]; at least 2.
        instruction: sentences at the beginning of the prompt; any text, empty is none.
        templates: how solved examples may be written; at least 1 text with {question} and {answer}.
        shots: solved examples in the prompt; at least 1, 4 in the paper, from a pool of 16.
        horizon: edits of an episode at most; at least 1, 8 in the paper.
        rounds: number of rounds; at least 1.
        queries: queries that are edited for in a round; at least 1, 64 in the paper.
        solver: name of the model that the prompts are for; any of `models`, or policy.
        reader: name of the model whose states represent texts; policy, or any of `models` with its tokens.
        width: numbers that represent a part of a prompt; at least 1.
        learning_rate: that of the editor; above 0, 6e-4 in the paper.
        discount: γ, what a reward one edit later counts; 0 to 1.
        decay: λ of the generalised advantages; 0 to 1.
        entropy: weight of the entropy of the edits; 0 or more.
    """
    parts = FewShots(
        Task.of(session, prompts, solver=solver, labels=labels), prompts_of(pool), instruction, templates, reader
    )
    asked, states = parts.task.records, parts.states("pool", [parts.text_of(e) for e in parts.examples])
    choices = edits(len(parts.pool), shots, len(templates), len(parts.phrases))
    first = FewShot.first(len(parts.pool), shots, len(parts.phrases))
    editor = Editor(
        states, parts.states("phrases", parts.phrases, states.shape[1]), choices,
        shots=first.shots, templates=len(templates), width=width, seed=session.seed("editor"),
    )  # fmt: skip
    optimiser = torch.optim.Adam(editor.parameters(), lr=learning_rate)
    known = parts.states("queries", [last_user_message(p.prompt) for p in asked])
    row = {p.id: i for i, p in enumerate(asked)}
    rates, metrics = Rates(discount=discount, decay=decay, entropy=entropy), dict[str, float]()
    for n in range(1, rounds + 1):
        some = part_of(asked, n - 1, queries)
        _, rollout = played(
            editor, choices, first, known[[row[p.id] for p in some]], horizon,
            partial(parts.worth, f"round-{n}", some), partial(parts.chances, f"round-{n}", some),
        )  # fmt: skip
        metrics = {"reward": float(rollout.rewards.sum(0).mean()), **learn(editor, optimiser, rollout, rates)}
        session.advance(n, rounds, metrics)
    session.artefact("editor", {"weights": editor.state(), "examples": parts.examples, "phrases": parts.phrases})
    return metrics | (applied(parts, editor, choices, first, horizon, held_out) if held_out is not None else {})


def applied(
    parts: FewShots, editor: Editor, choices: tuple[Edit, ...], first: FewShot, horizon: int, held_out: Dataset
) -> dict[str, float]:
    """Edit the first prompt for each query of `held_out`, and compare how often the likeliest label is right."""
    asked, session = prompts_of(held_out), parts.task.session
    states = parts.states("held-out", [last_user_message(p.prompt) for p in asked])
    made = edited(editor, choices, first, states, horizon)
    session.artefact("prompts", {last_user_message(p.prompt): parts.text(x) for p, x in zip(asked, made, strict=True)})
    before = parts.right("held-out-before", asked, [first] * len(asked))
    return compared(session, before, parts.right("held-out-after", asked, made))
