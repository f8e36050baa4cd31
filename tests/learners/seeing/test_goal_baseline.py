"""VLM-RM's reward: golden numbers, both forms of the formula, and what α leaves of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.seeing.encoder import unit
from posttrain.learners.seeing.goal_baseline import goal_baseline

pytestmark = pytest.mark.paper("rocamonde2023o9z")
RANDOM = np.random.default_rng(0)
S, (G, B) = unit(RANDOM.standard_normal((5, 4))), unit(RANDOM.standard_normal((2, 4)))


def test_golden():
    """s = (0, 0, 1) lies across the line from b = (0, 1, 0) to g = (1, 0, 0); its foot is (1/2, 1/2, 0)."""
    s, g, b = np.array([[0.0, 0.0, 1.0]]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    assert goal_baseline(s, g, b, alpha=0.0) == pytest.approx([0.0])
    assert goal_baseline(s, g, b, alpha=1.0) == pytest.approx([0.75])
    assert goal_baseline(s, g, b, alpha=0.5) == pytest.approx([1 - 0.5 * (0.75**2 + 0.25**2 + 0.5**2)])


def test_without_regularisation_it_is_the_cosine_and_reads_no_baseline():
    assert goal_baseline(S, G, B, alpha=0.0) == pytest.approx(S @ G)
    assert goal_baseline(S, G, np.full(4, np.nan), alpha=0.0) == pytest.approx(S @ G)
    near = goal_baseline(S, G, B, alpha=1e-9)
    assert near == pytest.approx(S @ G, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.2, 0.7, 1.0])
def test_it_is_the_projection_in_the_form_of_the_paper_and_at_most_1(alpha):
    line = G - B
    foot = B + np.outer((S - B) @ line / (line @ line), line)  # from the baseline, as the paper has it
    found = goal_baseline(S, G, B, alpha=alpha)
    assert found == pytest.approx(1 - 0.5 * ((alpha * foot + (1 - alpha) * S - G) ** 2).sum(axis=1))
    assert (found <= 1).all()
    assert goal_baseline(G[None], G, B, alpha=alpha) == pytest.approx([1.0])


def test_with_alpha_1_only_the_way_along_the_line_counts():
    across = np.linalg.svd((G - B)[None])[2][1]  # orthogonal to it
    moved = goal_baseline(S + 0.3 * across, G, B, alpha=1.0)
    assert moved == pytest.approx(goal_baseline(S, G, B, alpha=1.0))
    assert goal_baseline(S + 0.3 * across, G, B, alpha=0.5) != pytest.approx(goal_baseline(S, G, B, alpha=0.5))
    assert goal_baseline(B[None], G, B, alpha=1.0) < goal_baseline(0.5 * (B + G)[None], G, B, alpha=1.0)
