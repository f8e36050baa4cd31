"""The reverse KL by policy gradient: its expectation is that of the whole distribution."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit.advantages import reward_to_go
from posttrain.formulas.losses.distillation import generalised_jsd, teacher_log_ratio
from posttrain.formulas.losses.policy_gradient import reinforce

pytestmark = pytest.mark.paper("tiapkin202538o")
STUDENT, TEACHER = torch.tensor([0.3, -0.5, 1.0]).double(), torch.tensor([-0.2, 0.9, 0.4]).double()


def test_the_expected_gradient_is_that_of_the_reverse_kl():
    """Σ_y π(y) ∇(-A log π(y)) over all tokens of one place."""
    logits = STUDENT.clone().requires_grad_()
    logp = logits.log_softmax(-1)
    rows = Rows(torch.arange(3), torch.ones(3, dtype=torch.bool), 3)
    reward = teacher_log_ratio(logp.detach(), TEACHER.log_softmax(-1))
    loss = reinforce(logp, reward_to_go(reward, rows, gamma=0.0))
    (logp.detach().exp() * loss).sum().backward()
    whole = STUDENT.clone().requires_grad_()
    generalised_jsd(whole[None], TEACHER[None], beta=1.0).sum().backward()
    torch.testing.assert_close(logits.grad, whole.grad)


def test_a_student_that_is_its_teacher_learns_nothing():
    assert not teacher_log_ratio(STUDENT, STUDENT).any()
