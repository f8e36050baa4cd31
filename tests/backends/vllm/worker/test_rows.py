"""Rows of a batch follow their answers, and draw by seed and place alone."""

import torch

from posttrain.backends.vllm.worker.rows import Rows
from posttrain.sampling.distribution import draw, truncated, uniforms


def settings(seed, before=0, **changed):
    return {"seed": seed, "total": 8, "before": before, "temperature": 1.0, "top_k": 0, "top_p": 1.0} | changed


def test_one_logit_is_left_and_it_is_the_log_prob():
    rows, logits = Rows(), torch.randn(3, 17, generator=torch.Generator().manual_seed(0))
    asked = [settings(1), settings(2, before=3, temperature=0.5, top_k=4), settings(3, temperature=0.0)]
    rows.update([], [(i, s, [9] * i) for i, s in enumerate(asked)], [])
    left = rows.draw(logits.clone())
    limits = torch.tensor([1.0, 0.5, 0.0]).double(), torch.tensor([0, 4, 0]), torch.ones(3).double()
    uniform = torch.tensor([uniforms(1, 8)[0], uniforms(2, 8)[4], uniforms(3, 8)[2]]).double()
    token, logp = draw(truncated(logits, *limits), uniform)
    assert torch.equal(left.argmax(-1), token)
    assert torch.equal(left.max(-1).values, logp)
    assert (left > -torch.inf).sum() == 3
    assert float(logp[2]) == 0.0  # greedy: a point mass


def test_answers_keep_their_random_numbers_when_they_move():
    rows, output = Rows(), [5, 6]
    rows.update([], [(0, settings(1), []), (1, settings(2), output), (2, settings(3), [])], [])
    second = rows.rows[1]
    rows.update([0], [], [(2, 0, False)])
    assert rows.rows[0].settings["seed"] == 3
    rows.update([], [], [(0, 1, True)])
    assert rows.rows[0] is second
    assert rows.rows[1].settings["seed"] == 3
    assert second.uniform == uniforms(2, 8)[2]
    output.append(7)  # vLLM's own list grows
    assert second.uniform == uniforms(2, 8)[3]
    rows.update([1], [(1, settings(4), [])], [])  # removed and added at one place
    assert rows.rows[1].settings["seed"] == 4
