"""Several numbers of an answer: attributes, their quantiles, their distributions."""

from math import nan

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.formulas.losses.attributes import attribute_error, gaussian_nll, pinball
from posttrain.launch.train import train
from posttrain.models.loading.load import load as load_model
from posttrain.records import Numbers
from tests.harness.numbers import answer, step
from tests.harness.runs import SHORT, SUMS, metrics, run


def rated(path, scores, *attributes, **settings):
    row = answer(scores=tuple(scores), attributes=Numbers(attributes))
    return step(configure(load(path), settings), row)


def fitted(loss, labels, size):
    """The numbers of a head without inputs that minimise a loss on labels of one attribute."""
    numbers = torch.zeros(size, requires_grad=True)
    optimiser = torch.optim.Adam([numbers], lr=0.1)
    rows = torch.tensor(labels)[:, None]
    for _ in range(100):
        optimiser.zero_grad()
        loss(numbers.expand(len(rows), size), rows).mean().backward()
        optimiser.step()
    return numbers.tolist()


@pytest.mark.parametrize(("path", "each"), [("attributes", 1), ("quantiles", 3), ("gaussian", 2)])
def test_a_missing_label_costs_nothing_and_has_no_gradient(path, each):
    one = rated(f"reward/{path}", [0.5] * 2 * each, 1.5, nan)
    alone = rated(f"reward/{path}", [0.5] * each, 1.5)
    assert one.metrics["loss"] == pytest.approx(alone.metrics["loss"], abs=1e-14)
    assert one.gradient("scores")[0] == pytest.approx([*alone.gradient("scores")[0], *[0.0] * each], abs=1e-14)


@pytest.mark.parametrize(("path", "each"), [("attributes", 1), ("quantiles", 3), ("gaussian", 2)])
def test_the_order_of_the_attributes_does_not_matter(path, each):
    numbers = [0.3, -0.2, 1.1, 0.7, 2.0, 0.4][: 2 * each]
    loss = rated(f"reward/{path}", numbers, 1.5, 0.25).metrics["loss"]
    other = rated(f"reward/{path}", [*numbers[each:], *numbers[:each]], 0.25, 1.5).metrics["loss"]
    assert loss == pytest.approx(other, abs=1e-14)


@pytest.mark.paper("002:QRM")
def test_quantiles_find_both_modes_of_a_disagreement_and_a_mean_finds_neither():
    labels = [0.0] * 6 + [4.0] * 5
    assert fitted(pinball, labels, 3) == pytest.approx([0.0, 0.0, 4.0], abs=0.1)
    assert fitted(attribute_error, labels, 1) == pytest.approx([20 / 11], abs=0.05)
    assert fitted(pinball, [0.0, 1.0, 1.0, 2.0], 1) == pytest.approx([1.0], abs=0.1)  # Q = 1 is the median


@pytest.mark.paper("003:OOD-robust RMs")
def test_a_normal_distribution_has_the_mean_and_the_deviation_of_the_labels():
    mean, log_deviation = fitted(gaussian_nll, [0.0, 4.0, 0.0, 4.0], 2)
    assert (mean, 2.718281828**log_deviation) == pytest.approx((2.0, 2.0), abs=0.05)


@pytest.mark.paper("003:OOD-robust RMs")
def test_with_one_deviation_the_gradient_of_a_normal_distribution_is_that_of_squared_errors():
    settings = {"gaussian_nll.floor": 1e-6}
    wide = rated("reward/gaussian", [0.5, 0.0, 2.0, 0.0], 1.5, 0.25, **settings).gradient("scores")[0]
    plain = rated("reward/attributes", [0.5, 2.0], 1.5, 0.25).gradient("scores")[0]
    assert [2 * wide[0], 2 * wide[2]] == pytest.approx(plain, abs=1e-9)


def test_another_number_of_attributes_names_the_setting():
    with pytest.raises(PartError, match=r"gives 3 numbers, and the data has 2 attributes.*method.scores.mix .* 2 weig"):
        rated("reward/quantiles", [0.0] * 3, 1.0, 2.0)
    with pytest.raises(PartError, match="2 attributes with 1 numbers each"):
        rated("reward/attributes", [0.0] * 4, 1.0, 2.0)


@pytest.mark.paper("002:QRM")
def test_a_head_of_quantiles_is_learned_from_columns_of_a_file_and_scores_answers(tmp_path):
    rows = [{"prompt": f"{i}=", "response": "ab"[i % 2], "good": i % 2, "long": [2, None][i % 2]} for i in range(8)]
    made = train(
        "tiny",
        {"path": "reward/quantiles", "scores.mix": [1.0, -0.5], "scores.size": 6},
        {"path": rows, "columns": {"attributes": ["good", "long"]}},
        output=tmp_path / "rm",
        train={"steps": 4, "prompts_per_step": 8, "learning_rate": 3e-3},
        display=None,
    )
    assert metrics(made)[-1]["error"] < metrics(made)[0]["error"]
    assert load_model(str(made.model)).network.heads["score"].mix.tolist() == pytest.approx([1 / 3] * 3 + [-1 / 6] * 3)
    ppo = {"model": "tiny", "method": "online/grpo", "data": SUMS, "models": {"reward": str(made.model)}}
    overrides = [f"{k}={v}" for k, v in SHORT.items()]
    assert "reward" in metrics(run(ppo, tmp_path / "grpo", *overrides, "train.steps=1"))[0]
