"""Episodes in which an editor changes prompts, side by side, until it stops or the horizon ends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from posttrain.search.prompts.editing import Rollout, drawn
from posttrain.search.prompts.editor import Editor, Views
from posttrain.search.prompts.edits import Edit, FewShot

Score = Callable[[int, Sequence[FewShot]], Sequence[float]]  # of the prompts after a number of edits


def played(
    editor: Editor,
    edits: Sequence[Edit],
    first: FewShot,
    queries: Tensor,
    horizon: int,
    score: Score,
    chances: Callable[[int], Sequence[float]],
) -> tuple[list[FewShot], Rollout]:
    """Edit the first prompt for each query [N, D]; returns the prompts at the end, and what the editor learns from.

    The reward of an edit is what it adds to the score. `chances`: a number in [0, 1) for each query in a step.
    """
    prompts, alive = [first] * len(queries), torch.ones(len(queries), dtype=torch.bool)
    views, steps, before = [], [], torch.tensor(score(0, prompts))
    for t in range(horizon):
        if not alive.any():
            break
        seen = Views.of(prompts, queries)
        with torch.no_grad():
            logp, values = editor(seen)
        chosen = drawn(logp, chances(t))
        prompts = [p.after(edits[a]) if go else p for p, a, go in zip(prompts, chosen, alive, strict=True)]
        after = torch.tensor(score(t + 1, prompts))
        taken = logp.gather(1, chosen[:, None]).squeeze(1)
        views.append(seen)
        steps.append((chosen, taken, values, after - before, alive))
        before, alive = after, alive & (chosen != 0)
    return prompts, Rollout(Views.joined(views), *(torch.stack(x) for x in zip(*steps, strict=True)))


@torch.no_grad()
def edited(editor: Editor, edits: Sequence[Edit], first: FewShot, queries: Tensor, horizon: int) -> list[FewShot]:
    """Edit the first prompt for each query by the likeliest edits; nothing is scored."""
    prompts, alive = [first] * len(queries), [True] * len(queries)
    for _ in range(horizon):
        chosen = editor(Views.of(prompts, queries))[0].argmax(1).tolist()
        prompts = [p.after(edits[a]) if go else p for p, a, go in zip(prompts, chosen, alive, strict=True)]
        alive = [go and a != 0 for go, a in zip(alive, chosen, strict=True)]
    return prompts
