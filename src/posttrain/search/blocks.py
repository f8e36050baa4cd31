"""Logical blocks of reasoning, and how a model rates its own reasoning so far (Hao et al., 2025).

A state is seven grades from 1 to 3 that the model gives itself; an action is a block: what it is asked to do next.
"""

from __future__ import annotations

import re

BLOCKS = {
    "step": "Go on with the next step of the solution, and only with that.",
    "decompose": "Divide what is left of the question into simpler questions, and answer them one after the other.",
    "debate": "Propose two different ways to go on, compare them, and go on in the better one.",
    "refine": "Check the solution so far, and write its last step again without its mistakes.",
    "terminate": "Write the final answer.",
}
ACTIONS = tuple(BLOCKS)
LAST = ACTIONS.index("terminate")
ASPECTS = (
    "the reasoning is right so far",
    "no step of it needs to be checked again",
    "what is left to do is simple",
    "few steps are left",
    "nothing that the question says is missing",
    "the next step is clear",
    "the solution is close to its answer",
)
MIDDLE, HIGHEST = 2, 3
RATING = (
    "<question>\n{question}\n</question>\n<solution>\n{solution}\n</solution>\nRate the solution so far from 1 (no) to "
    "3 (yes) in each of these points: " + "; ".join(ASPECTS) + ". Reply with seven numbers and nothing else."
)
NEXT = "<question>\n{question}\n</question>\n<solution>\n{solution}\n</solution>\n{block}"


def grades(text: str) -> tuple[float, ...]:
    """Read the grades of a reply: its first seven numbers, from 1 to 3; 2 for each that is missing."""
    found = [min(max(int(x), 1), HIGHEST) for x in re.findall(r"\d+", text)[: len(ASPECTS)]]
    return tuple(float(x) for x in (*found, *[MIDDLE] * (len(ASPECTS) - len(found))))
