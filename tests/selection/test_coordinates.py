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
