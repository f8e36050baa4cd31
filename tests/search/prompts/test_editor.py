"""The policy over edits: its size, its seeds, and what must not matter."""

import pytest
import torch

from posttrain.search.prompts.editor import Editor, Views
from posttrain.search.prompts.edits import Edit, FewShot, edits

pytestmark = pytest.mark.paper("002:TEMPERA")
FIRST = FewShot.first(4, 2, 2)
EDITS = edits(4, 2, 2, 2)


def states(n, seed=0):
    return torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))


def editor(seed=0, pool=None):
    return Editor(states(4, 1) if pool is None else pool, states(2, 2), EDITS, shots=2, templates=2, width=8, seed=seed)


def said(made, *prompts, queries=None):
    return made(Views.of(prompts, states(len(prompts), 3) if queries is None else queries))


def test_a_distribution_over_all_edits_and_a_value():
    logp, values = said(editor(), FIRST, FIRST.after(EDITS[1]))
    assert logp.shape == (2, len(EDITS))
    assert logp.exp().sum(1).tolist() == pytest.approx([1, 1])
    assert values.shape == (2,)


def test_its_weights_derive_from_the_seed_and_travel_as_plain_data():
    one, other = editor(1), editor(2)
    assert not torch.equal(said(one, FIRST)[0], said(other, FIRST)[0])
    other.restore(one.state())
    assert torch.equal(said(one, FIRST)[0], said(other, FIRST)[0])


@pytest.mark.parametrize("edit", [e for e in EDITS if e.kind != "stop" and e != Edit("template", 0, 0)
                                  and e != Edit("template", 1, 0)], ids=str)  # fmt: skip
def test_it_sees_every_edit_of_the_prompt(edit):
    made = editor()
    assert not torch.allclose(said(made, FIRST)[0], said(made, FIRST.after(edit))[0], atol=1e-4)


def test_it_sees_the_query():
    made = editor()
    one, other = said(made, FIRST, FIRST)[0]
    assert not torch.allclose(one, other, atol=1e-3)


def test_examples_outside_of_the_prompt_are_told_apart_by_what_they_say_alone():
    """Two that say the same are exchanged for the first one as probably as each other."""
    pool = states(4, 1)
    pool[3] = pool[2]
    logp = said(editor(pool=pool), FIRST)[0][0]
    places = [EDITS.index(Edit("examples", 0, j)) for j in (1, 2, 3)]
    assert logp[places[1]].item() == pytest.approx(logp[places[2]].item(), abs=1e-6)
    assert logp[places[0]].item() != pytest.approx(logp[places[1]].item(), abs=1e-3)


def test_rows_are_selected_and_joined():
    views = Views.of([FIRST, FIRST.after(EDITS[1])], states(2))
    again = Views.joined([views[torch.tensor([0])], views[torch.tensor([1])]])
    assert all(torch.equal(x, y) for x, y in zip(vars(views).values(), vars(again).values(), strict=True))
