"""Learning to edit: golden advantages, and a task whose best edit is known."""

import pytest
import torch

from posttrain.search.prompts.editing import Rates, Rollout, _losses, advantages, drawn, learn
from posttrain.search.prompts.editor import Editor, Views
from posttrain.search.prompts.edits import FewShot, edits

pytestmark = pytest.mark.paper("002:TEMPERA")
ALIVE = torch.tensor([[True, True], [True, False]])


def test_golden_advantages():
    """The first: δ_2 = 2 - 0.5, δ_1 = 1 + 0.9 · 0.5 - 0.25, A_1 = δ_1 + 0.9 · 0.5 δ_2. The second ends at once."""
    made = advantages(
        torch.tensor([[1.0, 3.0], [2.0, 9.0]]), torch.tensor([[0.25, 1.0], [0.5, 7.0]]), ALIVE, discount=0.9, decay=0.5
    )
    assert made[:, 0].tolist() == pytest.approx([1.2 + 0.45 * 1.5, 1.5])
    assert made[:, 1].tolist() == pytest.approx([2.0, 0.0])


def test_improvements_add_up_to_what_was_gained():
    """Without discount and values the first advantage is s_T - s_0, whatever lies between."""
    scores = torch.tensor([[0.3], [-1.0], [2.0], [0.5]])
    rewards = scores[1:] - scores[:-1]
    made = advantages(rewards, torch.zeros(3, 1), torch.ones(3, 1, dtype=torch.bool), discount=1.0, decay=1.0)
    assert float(made[0]) == pytest.approx(0.5 - 0.3, abs=1e-6)


def test_golden_losses():
    """Ratios 1.5 and 0.5, clipped to 1.2 and 0.8."""
    logp = torch.tensor([[0.6, 0.4], [0.2, 0.8]]).log()
    made = _losses(
        logp, torch.tensor([1.0, 2.0]), torch.tensor([0, 0]), torch.tensor([0.4, 0.4]).log(), torch.tensor([1.0, -1.0]),
        torch.tensor([0.0, 4.0]), 0.2,
    )  # fmt: skip
    assert float(made["policy"]) == pytest.approx(-(1.2 - 0.8) / 2)
    assert float(made["value"]) == pytest.approx((1 + 4) / 2)
    assert float(made["entropy"]) == pytest.approx((0.673012 + 0.500402) / 2, abs=1e-5)


def test_draws_by_chance():
    logp = torch.tensor([[0.2, 0.5, 0.3]] * 4).log()
    assert drawn(logp, [0.0, 0.19, 0.6, 0.9999999]).tolist() == [0, 0, 1, 2]


def played(editor, first, choices, queries, chances, worth):
    """Two steps of edits of as many prompts as there are queries."""
    n, prompts = len(queries), [first] * len(queries)
    alive, rows = torch.ones(n, dtype=torch.bool), []
    for t in range(2):
        views = Views.of(prompts, queries)
        with torch.no_grad():
            logp, values = editor(views)
        chosen = drawn(logp, chances[t])
        after = [p.after(choices[a]) if live else p for p, a, live in zip(prompts, chosen, alive, strict=True)]
        rewards = torch.tensor([worth(x) - worth(p) for x, p in zip(after, prompts, strict=True)])
        rows.append((views, chosen, logp.gather(1, chosen[:, None])[:, 0], values, rewards, alive))
        prompts, alive = after, alive & (chosen != 0)
    views, *others = zip(*rows, strict=True)
    return prompts, Rollout(Views.joined(views), *map(torch.stack, others))


def test_it_learns_which_example_must_come_first():
    """Only prompts that begin with example 2 are worth something: at first few do, then nearly all."""
    generator, choices = torch.Generator().manual_seed(0), edits(4, 2, 1, 0)
    first = FewShot.first(4, 2, 0)
    states = torch.randn(4, 6, generator=generator)
    editor = Editor(states, torch.zeros(0, 6), choices, shots=2, templates=1, width=8, seed=1)
    optimiser = torch.optim.Adam(editor.parameters(), lr=0.03)
    worth = lambda p: 1.0 if p.order[0] == 2 else 0.0  # noqa: E731
    for _ in range(8):
        queries, chances = torch.randn(32, 6, generator=generator), torch.rand(2, 32, generator=generator).tolist()
        prompts, rollout = played(editor, first, choices, queries, chances, worth)
        learn(editor, optimiser, rollout, Rates())
    prompt = first
    for _ in range(2):
        prompt = prompt.after(choices[int(editor(Views.of([prompt], queries[:1]))[0].argmax())])
    assert worth(prompt) == 1
    assert sum(map(worth, prompts)) > 24  # of 32; 2 at first


def test_what_is_not_alive_does_not_matter():
    generator, choices = torch.Generator().manual_seed(0), edits(3, 2, 1, 0)
    made, states = [], torch.randn(3, 4, generator=generator)
    views = Views.joined([Views.of([FewShot.first(3, 2, 0)] * 2, torch.ones(2, 4))] * 2)
    for junk in (0.0, 50.0):
        editor = Editor(states, torch.zeros(0, 4), choices, shots=2, templates=1, width=8)
        rollout = Rollout(
            views,
            torch.tensor([[1, 0], [2, 1]]),
            torch.full((2, 2), -1.0),
            torch.tensor([[0.0, 0.0], [0.0, junk]]),
            torch.tensor([[1.0, 0.5], [-1.0, junk]]),
            ALIVE,
        )
        learn(editor, torch.optim.SGD(editor.parameters(), lr=0.1), rollout, Rates())
        made.append(editor.state())
    assert made[0] == made[1]
