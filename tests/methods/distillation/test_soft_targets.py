"""Soft targets: the identities and invariances of all methods that read a teacher's distribution."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.losses.distillation import generalised_jsd
from posttrain.formulas.losses.penalties import forward_kl, reverse_kl
from tests.harness.numbers import answer, step
from tests.methods.golden.distillation import spoken

pytestmark = pytest.mark.paper("tiapkin202538o")
SOFT, SFT = load("distillation/soft_targets"), load("imitation/sft")
GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = (torch.randn(6, 5, generator=GENERATOR, dtype=torch.float64) for _ in range(2))


def jsd(student, teacher, beta):
    return generalised_jsd(student, teacher, beta=beta)


def test_the_ends_are_the_two_divergences():
    torch.testing.assert_close(jsd(STUDENT, TEACHER, 0.0), forward_kl(STUDENT, TEACHER))
    torch.testing.assert_close(jsd(STUDENT, TEACHER, 1.0), reverse_kl(STUDENT, TEACHER))


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 1.0])
def test_it_is_0_for_the_teacher_alone_and_constants_on_logits_do_not_matter(beta):
    torch.testing.assert_close(jsd(TEACHER, TEACHER + 3, beta), torch.zeros(6, dtype=torch.float64))
    found = jsd(STUDENT, TEACHER, beta)
    assert (found > 0).all()
    torch.testing.assert_close(jsd(STUDENT - 2, TEACHER + 1, beta), found)


def test_half_way_it_is_symmetric_and_it_mirrors():
    torch.testing.assert_close(jsd(STUDENT, TEACHER, 0.3), jsd(TEACHER, STUDENT, 0.7))


def test_near_its_ends_it_is_their_divergence_times_the_distance():
    """D_β / β → KL(q || π) as β → 0 (Agarwal et al., 2024)."""
    torch.testing.assert_close(jsd(STUDENT, TEACHER, 1e-6) / 1e-6, forward_kl(STUDENT, TEACHER), rtol=1e-4, atol=1e-4)


def test_a_certain_teacher_is_sft():
    certain = spoken([0.25, 0.6], [1 - 1e-15, 1 - 1e-15])
    plain = answer(logp=torch.tensor([0.25, 0.6]).log().tolist(), entropy=[0.0, 0.0])
    assert step(SOFT, certain).metrics["loss"] == pytest.approx(step(SFT, plain).metrics["loss"], abs=1e-6)


def test_nothing_is_learned_of_the_teacher():
    """The gradient is the student's alone: p (π - q) for the forward KL."""
    one = step(configure(SOFT, {"beta": 0.0}), spoken([0.25], [0.5]))
    table = one.gradients[0]["policy.tables.logits"]
    assert table[table.abs().sum(-1) > 0].tolist()[0] == pytest.approx([0.25 - 0.5, 0.75 - 0.5])
    assert not any(name.startswith("teacher") for name in one.gradients[0])
