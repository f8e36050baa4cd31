"""The next questions, against chance on rewards that are known."""

from math import log

import pytest
import torch
from torch import tensor

from posttrain.selection import acquisition
from posttrain.selection.acquisition import double_thompson, dual_design, information, mutual_information
from posttrain.selection.linear_reward import Posterior, posterior
from tests.selection.comparisons import answered, preferred, truth

LN = log(3)  # σ = 0.75


@pytest.mark.paper("000:[83]")
def test_golden_of_disagreement():
    """Two members: 0.75 and 0.25, then twice 0.75. H(0.5) = log 2, H(0.75) = 0.562335."""
    gaps = tensor([[LN, LN], [-LN, LN]], dtype=torch.float64)
    assert acquisition.disagreement(gaps).tolist() == pytest.approx([0.0625, 0.0], abs=1e-12)
    assert mutual_information(gaps).tolist() == pytest.approx([log(2) - 0.5623351446, 0.0], abs=1e-9)
    assert mutual_information(gaps[:1]).abs().max() < 1e-12  # one member never disagrees
    assert float(mutual_information(tensor([[40.0], [-40.0]]))) == pytest.approx(log(2))  # its largest value


@pytest.mark.paper("liu2024avj")
def test_golden_of_information():
    """θ·z = 0.5 and z'P⁻¹z = 2 at β = 2: p = σ(1), log(1 + 4 · 0.19661193 · 2)."""
    known = Posterior(tensor([0.5, 0.0]), tensor([[4.0, 0.0], [0.0, 1.0]]))
    found = information(known, tensor([[1.0, 1.0]]), tensor([2.0]))
    assert found.tolist() == pytest.approx([log(1 + 4 * 0.19661193 * 1.25)])


@pytest.mark.paper("liu2024avj")
def test_it_is_what_the_log_determinant_grows_by():
    known = posterior(preferred(truth(3), 20, seed=0))
    z, beta = tensor([[0.3, -1.0, 2.0]], dtype=torch.float64), tensor([1.7], dtype=torch.float64)
    p = torch.sigmoid(beta * (z @ known.mean))
    grown = known.precision + beta**2 * p * (1 - p) * z.T @ z
    expected = torch.logdet(grown) - torch.logdet(known.precision)
    assert float(information(known, z, beta)) == pytest.approx(float(expected))


@pytest.mark.paper("liu2024avj")
def test_the_most_rational_teacher_is_best_only_where_the_answer_is_open():
    known = Posterior(tensor([1.0]), tensor([[1.0]]))
    teachers = tensor([1.0, 4.0])
    open_, clear = (information(known, tensor([[x], [x]]), teachers) for x in (0.1, 3.0))
    assert open_[1] > open_[0]
    assert clear[1] < clear[0]


@pytest.mark.paper("liu2024avj")
def test_questions_and_teachers_teach_more_than_as_many_by_chance():
    theta = truth(4)
    generator = torch.Generator().manual_seed(0)
    questions = torch.randn(60, 4, generator=generator, dtype=torch.float64) * tensor([1.0, 1.0, 0.3, 0.3])
    beta = tensor([0.3, 1.0, 3.0], dtype=torch.float64).repeat_interleave(60)
    vectors = answered(theta, questions.repeat(3, 1), 1, beta)

    def volume(chosen):
        return -float(torch.logdet(posterior(vectors[chosen], rationality=beta[chosen]).precision))

    chosen = dual_design(vectors, beta, 24)
    assert len(set(chosen)) == len(chosen) == 24
    by_chance = [torch.randperm(180, generator=generator)[:24].tolist() for _ in range(5)]
    best_teacher = [120 + int(i) for i in torch.randperm(60, generator=generator)[:24]]
    one_teacher = [60 + i for i in dual_design(vectors[60:120], beta[60:120], 24)]
    assert volume(chosen) < min(map(volume, [*by_chance, best_teacher, one_teacher])) - 0.5
    assert len(dual_design(vectors[:3], beta[:3], 9)) == 3
    turned = torch.where(torch.arange(180)[:, None] % 2 == 0, vectors, -vectors)
    assert dual_design(turned, beta, 8) == chosen[:8]  # nothing was answered yet


@pytest.mark.paper("liu2024avj")
@pytest.mark.parametrize(("refit", "ridge"), [(1, 1.0), (3, 0.05), (5, 4.0)])
def test_it_asks_what_a_search_by_determinants_asks(refit, ridge):
    generator = torch.Generator().manual_seed(3)
    questions = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    beta = tensor([0.5, 2.0], dtype=torch.float64).repeat(15)
    vectors, asked = answered(truth(3), questions, 1, beta), []
    for n in range(12):
        if n % refit == 0:
            known = posterior(vectors[asked], ridge=ridge, rationality=beta[asked])
            precision = known.precision
        p = torch.sigmoid(beta * (vectors @ known.mean))
        weight = beta**2 * p * (1 - p)
        grown = [precision + w * torch.outer(z, z) for w, z in zip(weight, vectors, strict=True)]
        left = [i for i in range(30) if i not in asked]
        asked.append(max(left, key=lambda i: float(torch.logdet(grown[i]))))
        precision = grown[asked[-1]]
    assert dual_design(vectors, beta, 12, refit=refit, ridge=ridge) == asked


@pytest.mark.paper("000:[83]")
def test_golden_of_double_thompson():
    """Draws that agree leave the second to chance; else both are somebody's best."""
    agree = tensor([[0.0, 2.0, 1.0, 0.5]]).repeat(5, 1)
    pairs = [double_thompson(agree, seed) for seed in range(40)]
    assert {a for a, _ in pairs} == {1}
    assert {b for _, b in pairs} == {0, 2, 3}
    split = tensor([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    assert {double_thompson(split, seed) for seed in range(40)} == {(0, 1), (1, 0)}
    assert all(double_thompson(split, seed) == double_thompson(split, seed) for seed in range(12))
    chance = sum(2 in double_thompson(split, seed, tries=0) for seed in range(200)) / 200
    assert 0.4 < chance < 0.6
    assert all(double_thompson(agree, seed) == double_thompson(agree, seed) for seed in range(9))


@pytest.mark.paper("000:[83]")
def test_golden_of_couples():
    """Prompt 7 has the answers 0 and 3, prompt 2 only one, prompt 5 three, of which all draws find the last best."""
    scores = tensor([[0.0, 9.0, 1.0, 1.0, 2.0, 3.0], [1.0, 9.0, 1.0, 0.0, 2.0, 3.0]])
    found = [acquisition.couples(scores, [7, 2, 5, 7, 5, 5], seed) for seed in range(20)]
    assert {len(chosen) for chosen in found} == {2}
    assert {chosen[0] for chosen in found} == {(0, 3), (3, 0)}
    assert {chosen[1] for chosen in found} == {(5, 2), (5, 4)}
    alike = [acquisition.couples(scores[:, [0, 3, 0, 3]], [1, 1, 2, 2], seed) for seed in range(20)]
    assert any(one != (a - 2, b - 2) for one, (a, b) in alike)
    assert {(chosen[0][0], chosen[1][1]) for chosen in found} == {(0, 2), (0, 4), (3, 2), (3, 4)}


@pytest.mark.paper("000:[83]")
def test_it_finds_the_best_answers_with_fewer_labels_than_chance():
    theta, lost = truth(6, 3.0), {"thompson": 0.0, "chance": 0.0}
    for world in range(4):
        generator = torch.Generator().manual_seed(world)
        answers = torch.randn(30, 8, 6, generator=generator, dtype=torch.float64)
        for how in lost:
            asked = torch.zeros(0, 6, dtype=torch.float64)
            known = posterior(asked)
            for n in range(60):
                x = answers[n % 30]
                pair = [int(i) for i in torch.randperm(8, generator=generator)[:2]]
                if how == "thompson":
                    known = posterior(asked) if n % 10 == 0 else known
                    pair = double_thompson(known.draw(n, 10) @ x.T, n)
                asked = torch.cat([asked, answered(theta, (x[pair[0]] - x[pair[1]])[None], 1000 * world + n)])
            best = (answers @ posterior(asked).mean).argmax(1)
            true = answers @ theta
            lost[how] += float((true.amax(1) - true.gather(1, best[:, None])[:, 0]).mean())
    assert lost["thompson"] < 0.8 * lost["chance"]
