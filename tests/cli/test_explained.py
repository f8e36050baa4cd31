"""`posttrain explain` of a run file, and of a transform."""

from __future__ import annotations

from posttrain.cli.explained import of_run, of_transform

RUN = """
model: tiny
method: {path: online/grpo, low: 0.1}
data: arithmetic
rewards:
  - {path: math_answer, weight: 2, transform: [{path: contrastive, quantile: 0.85}, log_sigmoid]}
  - {path: exact_match, weight: 0}
scoring: {transform: whiten}
sampling: {samples: 5, temperature: 0.5}
"""


def test_a_run_file_shows_the_settings_of_its_method_and_the_formula_of_its_reward(tmp_path):
    (tmp_path / "run.yaml").write_text(RUN)
    text = of_run(str(tmp_path / "run.yaml"))
    assert "low = 0.1" in text
    assert "5 from policy^1, temperature 0.5" in text
    assert "prompts_per_step x 5 answers" in text
    assert "  reward       whiten(2 log_sigmoid(contrastive(math_answer, quantile=0.85)))" in text
    assert "  exact_match  0 only watches: posttrain.rewards.bundled.exact_match:exact_match" in text


def test_a_transform_shows_where_it_is_written_its_paper_its_formula_and_its_settings():
    text = of_transform("preference")
    for said in ("transform: [preference]", "Fu et al., 2025", "mean_m σ(r(x, y) - r(x, b_m))"):
        assert said in text
    assert "scoring: {combine: gate}" in of_transform("gate")
    assert of_transform("unknown") is None
