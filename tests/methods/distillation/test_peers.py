"""The same divergence as TRL's GKD trainer."""

import pytest
import torch

from posttrain.formulas.losses.distillation import generalised_jsd

pytest.importorskip("trl", minversion="1.16")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("beta", [0.0, 0.2, 0.5, 1.0])
def test_the_divergence_is_that_of_trl(beta):
    from trl.experimental.gkd.gkd_trainer import GKDTrainer

    generator = torch.Generator().manual_seed(1)
    student, teacher = (torch.randn(7, 11, generator=generator, dtype=torch.float64) for _ in range(2))
    theirs = GKDTrainer.generalized_jsd_loss(student, teacher, beta=beta, reduction="none").sum(-1)
    torch.testing.assert_close(generalised_jsd(student, teacher, beta=beta), theirs, rtol=1e-6, atol=1e-9)
