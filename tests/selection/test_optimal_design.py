"""Optimal designs have certificates: none is better than d, and theirs is."""

from __future__ import annotations

import pytest
import torch

from posttrain.selection.optimal_design import apportioned, optimal_design, uncertainty


def comparisons(count=60, d=4, seed=0, stretch=None):
    vectors = torch.randn(count, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return vectors if stretch is None else vectors * torch.tensor(stretch, dtype=torch.float64)


def log_det(vectors, weights):
    return torch.linalg.slogdet(vectors.T @ (weights[:, None] * vectors)).logabsdet


@pytest.mark.paper("scheid20244oy")
@pytest.mark.parametrize("seed", range(4))
def test_the_most_unknown_comparison_is_as_known_as_can_be(seed):
    """Kiefer and Wolfowitz: the mean of |b|² under π is d for every π, so its maximum cannot be less."""
    vectors = comparisons(seed=seed)
    weights = optimal_design(vectors, tolerance=0.002)
    assert float(weights.sum()) == pytest.approx(1)
    assert float((weights * uncertainty(vectors, weights)).sum()) == pytest.approx(4)
    assert 4 <= float(uncertainty(vectors, weights).max()) <= 4 * 1.002
    assert float(uncertainty(vectors, torch.full((60,), 1 / 60, dtype=torch.float64)).max()) > 6


def test_it_has_the_largest_determinant():
    vectors = comparisons()
    weights = optimal_design(vectors, tolerance=1e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(50):
        other = torch.rand(60, generator=generator, dtype=torch.float64)
        mixed = 0.9 * weights + 0.1 * other / other.sum()
        assert log_det(vectors, mixed) < log_det(vectors, weights) + 1e-9


def test_golden_three_comparisons_in_the_plane():
    """(1, 0), (0, 1) and a short one between them, which teaches nothing that the two do not."""
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], dtype=torch.float64)
    assert optimal_design(vectors, tolerance=1e-3).tolist() == pytest.approx([0.5, 0.5, 0.0], abs=2e-3)


def test_golden_uncertainty():
    """V = diag(0.25 · 4, 0.75) of (2, 0) and (0, 1)."""
    vectors = torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    assert uncertainty(vectors, torch.tensor([0.25, 0.75]).double()).tolist() == pytest.approx([4, 4 / 3])


def test_golden_a_step():
    """1, 3 and 2 in one dimension: 9 over their mean square 14/3 is 27/14, and all mass goes to it."""
    vectors = torch.tensor([[1.0], [-3.0], [2.0]], dtype=torch.float64)
    assert optimal_design(vectors, steps=0).tolist() == pytest.approx([1 / 3] * 3)
    assert optimal_design(vectors, steps=1).tolist() == pytest.approx([0, 1, 0])


def test_golden_a_step_in_the_plane():
    """Of (1, 0), (0, 1) and (1, 0) the second is least known: 3 of d = 2, so a rate of (3/2 - 1)/(3 - 1) goes to it."""
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    assert optimal_design(vectors, steps=1).tolist() == pytest.approx([0.25, 0.5, 0.25])
    assert optimal_design(vectors, steps=9).tolist() == pytest.approx([0.25, 0.5, 0.25])
    assert optimal_design(vectors, tolerance=0.51, steps=9).tolist() == pytest.approx([1 / 3] * 3)
    uneven = torch.tensor([[1.0, 0.0]] * 3 + [[0.0, 1.0]], dtype=torch.float64)  # the last is twice d
    assert optimal_design(uneven, tolerance=1.0, steps=9).tolist() == [0.25] * 4


def test_golden_the_tolerance_is_a_twentieth_unless_given():
    """The mass 0.49, 0.51 on two axes: 1/0.49 is 1.02 of d, so nothing moves; a copy makes the start uneven."""
    vectors = torch.cat([torch.eye(2).double()[[0]].repeat(21, 1), torch.eye(2).double()[[1]].repeat(20, 1)])
    assert optimal_design(vectors, steps=9).tolist() == pytest.approx([1 / 41] * 41)
    moved = optimal_design(vectors, tolerance=0.02, steps=1)
    assert float(moved.max()) > 1 / 41 + 1e-3


def test_orthogonal_comparisons_count_alike_however_long():
    vectors = torch.diag(torch.tensor([1.0, 3.0, 0.1], dtype=torch.float64))
    assert optimal_design(vectors).tolist() == pytest.approx([1 / 3] * 3)


def test_few_comparisons_are_enough():
    """At most d(d+1)/2 are needed."""
    weights = optimal_design(comparisons(count=400), tolerance=1e-3)
    assert int((weights > 0.01).sum()) <= 10


def test_no_change_of_coordinates_changes_the_design():
    vectors, turn = comparisons(), comparisons(4, seed=9)
    torch.testing.assert_close(optimal_design(vectors @ turn), optimal_design(vectors), rtol=0, atol=1e-9)


def test_in_one_dimension_the_longest_comparison_is_asked():
    assert optimal_design(torch.tensor([[1.0], [-3.0], [2.0]], dtype=torch.float64)).tolist() == [0, 1, 0]


def labelled(vectors, counts, truth, seed):
    """How often each comparison was won, of the times that it was asked."""
    generator = torch.Generator().manual_seed(seed)
    asked = vectors.repeat_interleave(torch.tensor(counts), 0)
    wins = torch.rand(len(asked), generator=generator, dtype=torch.float64) < (asked @ truth).sigmoid()
    return asked * (2 * wins.to(torch.float64) - 1)[:, None]


def fitted(won, ridge=0.25, steps=30):
    """Newton's method for ridge logistic regression."""
    theta = torch.zeros(won.shape[1], dtype=torch.float64)
    for _ in range(steps):
        p = (won @ theta).sigmoid()
        hessian = won.T @ ((p * (1 - p))[:, None] * won) + ridge * torch.eye(len(theta), dtype=torch.float64)
        theta = theta - torch.linalg.solve(hessian, -won.T @ (1 - p) + ridge * theta)
    return theta


@pytest.mark.paper("scheid20244oy")
def test_its_labels_teach_more_than_as_many_chosen_by_chance():
    """Most comparisons are short where the reward matters most; the mean error over all directions of the reward."""
    vectors = comparisons(200, stretch=[1.0, 1.0, 0.3, 0.3])
    vectors = vectors / vectors.norm(dim=1).max()
    errors = {"optimal": 0.0, "uniform": 0.0}
    designs = {"optimal": optimal_design(vectors), "uniform": torch.ones(200, dtype=torch.float64)}
    for seed in range(40):
        truth = torch.randn(4, generator=torch.Generator().manual_seed(100 + seed), dtype=torch.float64)
        truth = 2 * truth / truth.norm()
        for name, weights in designs.items():
            theta = fitted(labelled(vectors, apportioned(weights, 400), truth, seed))
            errors[name] += float(((vectors @ (theta - truth)) ** 2).max()) / 40
    assert errors["optimal"] < 0.8 * errors["uniform"]


def test_golden_labels_are_handed_out_in_whole_numbers():
    assert apportioned(torch.tensor([0.5, 0.3, 0.2]), 7) == [4, 2, 1]
    assert apportioned(torch.tensor([1.0, 1.0, 1.0]), 2) == [1, 1, 0]
    assert apportioned(torch.tensor([0.0, 1.0]), 3) == [0, 3]
    assert apportioned(torch.tensor([0.2, 0.5, 0.3]), 7) == [1, 4, 2]
    assert apportioned(torch.tensor([1.0, 3.0]), 4) == [1, 3]
