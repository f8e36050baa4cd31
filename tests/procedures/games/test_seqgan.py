"""SeqGAN end to end on the embedded model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.runs import metrics, run
from tests.procedures.running import BRIEF, content


@pytest.mark.paper("004:GAN + policy gradient")
def test_the_discriminator_tells_peoples_answers_from_the_policys_and_is_the_reward(tmp_path: Path) -> None:
    given = content("seqgan", tmp_path, rounds=1, discriminator={"steps": 8, "learning_rate": 5e-3})
    done = run(given, tmp_path / "run", *BRIEF)
    *discriminated, generated = metrics(done)
    assert discriminated[-1]["loss"] < 0.8 * discriminated[0]["loss"]
    assert generated["reward"] < 0  # log-odds of being a person's answer
