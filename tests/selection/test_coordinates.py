import torch

from posttrain.selection.coordinates import principal, standardised


def stretched():
    vectors = torch.randn(50, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return vectors * torch.tensor([9.0, 5.0, 2.0, 0.5, 0.1, 0.0], dtype=torch.float64)


def test_coordinates_are_uncorrelated_and_of_size_one():
    vectors = stretched()
    made = vectors @ principal(vectors, 3)
    torch.testing.assert_close(made.T @ made / 50, torch.eye(3, dtype=torch.float64))


def test_the_longest_directions_are_kept():
    kept = principal(stretched(), 2)
    assert kept[:2].abs().max() > 20 * kept[3:].abs().max()


def test_there_are_no_more_coordinates_than_the_vectors_span():
    assert principal(stretched(), 10).shape == (6, 5)
    assert principal(torch.ones(3, 4), 2).shape == (4, 1)
    assert principal(torch.zeros(3, 4), 2).shape == (4, 0)


def test_standardised_rewards():
    made = standardised(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    assert made.tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_golden_axes():
    """Lengths 6 and 2 of four vectors along the axes, so the first is divided by 6/√4 and the second by 2/√4."""
    vectors = torch.tensor([[0.0, 18**0.5], [2**0.5, 0.0], [0.0, -(18**0.5)], [-(2**0.5), 0.0]], dtype=torch.float64)
    made = principal(vectors, 2).abs()
    torch.testing.assert_close(made, torch.tensor([[0.0, 1.0], [1 / 3, 0.0]], dtype=torch.float64))
    torch.testing.assert_close(principal(vectors, 1), principal(vectors, 2)[:, :1])


def test_golden_a_direction_without_length_is_rounding():
    """Parallel vectors: the second direction is as long as rounding makes it, and no coordinate."""
    vectors = torch.outer(torch.linspace(1, 2, 40, dtype=torch.float64), torch.tensor([0.1, 0.7]).double())
    assert principal(vectors, 2).shape == (2, 1)
    assert principal(torch.zeros(3, 4), 2).shape == (4, 0)
    tall = torch.zeros(100, 2, dtype=torch.float64)
    tall[0, 0] = 4.0  # so a length of 4 · 100 · 2.2e-16 = 8.9e-14 is rounding
    for length, count in ((5e-14, 1), (1e-13, 2)):
        tall[1, 1] = length
        assert principal(tall, 2).shape == (2, count)


def test_golden_standard_scores():
    made = standardised(torch.tensor([[0.0, 7.0], [0.0, 7.0], [0.3, 7.0]], dtype=torch.float64))
    wanted = [[-(0.5**0.5), 0.0], [-(0.5**0.5), 0.0], [2**0.5, 0.0]]
    torch.testing.assert_close(made, torch.tensor(wanted, dtype=torch.float64))
