"""Dawid and Skene's EM on annotators whose accuracy is known."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.data.feedback.dawid_skene import dawid_skene


def simulated(accuracies, items=200, seed=0):
    """Labels 0 and 1 of every annotator for every item, and the truth."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 2, items)
    right = chance.random((items, len(accuracies))) < np.array(accuracies)
    said = np.where(right, truth[:, None], 1 - truth[:, None]).tolist()
    return [(i, k, label) for i, row in enumerate(said) for k, label in enumerate(row)], truth


def test_the_accuracies_of_annotators_are_found():
    accuracies = (0.9, 0.85, 0.8, 0.75, 0.65, 0.5, 0.2)
    labels, _ = simulated(accuracies, items=1000)
    found = dawid_skene(labels).accuracy()
    assert [found[k] for k in range(7)] == pytest.approx(accuracies, abs=0.04)


def test_it_beats_the_majority_where_two_annotators_guess_and_one_lies():
    labels, truth = simulated((0.9, 0.85, 0.5, 0.5, 0.2))
    votes = np.array([label for *_, label in labels]).reshape(-1, 5)
    majority = (votes.mean(1) > 0.5) == truth
    posterior = dawid_skene(labels).probabilities()
    right = np.array([(posterior[i].get(1, 0) > 0.5) == truth[i] for i in range(len(truth))])
    assert right.mean() > 0.9 > majority.mean() + 0.1


def test_the_likelihood_never_falls():
    likelihood = dawid_skene(simulated((0.9, 0.7, 0.4))[0]).likelihood
    assert len(likelihood) > 3
    assert all(b >= a - 1e-3 for a, b in zip(likelihood, likelihood[1:], strict=False))  # smoothing is no part of it


def test_perfect_annotators_are_believed():
    found = dawid_skene([(i, k, "yes" if i % 3 else "no") for i in range(9) for k in range(2)])
    assert all(found.probabilities()[i]["yes" if i % 3 else "no"] > 0.99 for i in range(9))
    assert np.allclose(found.confusion.sum(2), 1)
    assert np.allclose(found.posterior.sum(1), 1)


def test_names_do_not_matter():
    labels, _ = simulated((0.9, 0.6, 0.6), items=30)
    renamed = [(f"i{i}", f"k{k}", "ba"[x]) for i, k, x in labels]
    one, other = dawid_skene(labels).probabilities(), dawid_skene(renamed).probabilities()
    assert all(one[i][0] == pytest.approx(other[f"i{i}"]["b"]) for i in range(30))


def test_one_step_by_hand():
    """Two items: (1, 1) and (1, 0). T = [[1, 0], [.5, .5]] in classes (1, 0); p = (.75, .25).

    π of the first annotator: always 1. Of the second: (1 + a)/(1.5 + 2a) for 1 given 1, a/(.5 + 2a) for 1 given 0.
    """
    a = 0.01
    found = dawid_skene([("x", 1, 1), ("x", 2, 1), ("y", 1, 1), ("y", 2, 0)], iterations=1, smoothing=a)
    assert found.prior.tolist() == pytest.approx([0.75, 0.25])
    assert found.confusion[1].tolist() == [
        pytest.approx([(1 + a) / (1.5 + 2 * a), (0.5 + a) / (1.5 + 2 * a)]),
        pytest.approx([a / (0.5 + 2 * a), (0.5 + a) / (0.5 + 2 * a)]),
    ]
    yes, no = 0.75 * (1.5 + a) / (1.5 + 2 * a), 0.25 * (0.5 + a) / (0.5 + 2 * a)  # the first annotator's 1
    yes, no = yes * (0.5 + a) / (1.5 + 2 * a), no * (0.5 + a) / (0.5 + 2 * a)  # the second's 0
    assert found.probabilities()["y"] == {1: pytest.approx(yes / (yes + no)), 0: pytest.approx(no / (yes + no))}
    assert dawid_skene([]).probabilities() == {}
