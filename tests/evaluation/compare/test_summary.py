"""Tables, files and figure of measurements that were made up, so that every number is known."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from posttrain.errors import MissingExtraError
from posttrain.evaluation.compare import figure
from posttrain.evaluation.compare.report import write
from posttrain.evaluation.compare.summary import columns, summaries
from posttrain.evaluation.overoptimisation import fit
from tests.evaluation.compare.given import found

HALF = 4.302653 / math.sqrt(3)  # Student's t(2) times the standard error of 1, 2, 3 and the like


def test_means_over_seeds_and_differences_within_them(tmp_path):
    """dpo ends at 1, 2, 3, ipo at 2, 4, 6: ahead by 1, 2, 3."""
    dpo, ipo = summaries(found(tmp_path))
    assert dpo.end == pytest.approx((2, 2 - HALF, 2 + HALF))
    assert ipo.end == pytest.approx((4, 4 - 2 * HALF, 4 + 2 * HALF))
    assert dpo.ahead is None
    assert ipo.ahead == pytest.approx((2, 2 - HALF, 2 + HALF))


@pytest.mark.paper("tang2024wt3")
def test_a_longer_way_is_no_advantage_at_equal_kl(tmp_path):
    """ipo is 0 ahead up to KL 1, then rises to 1, 2, 3 ahead at KL 4: 3/8 of that on average, over the KL of 0 to 4.

    Against a first method that goes on to KL 8 on the line of its own last two points, nothing changes.
    """
    made = found(tmp_path)
    dpo, ipo = summaries(made)
    by = 3 / 8 * np.array([2, 2 - HALF, 2 + HALF])
    assert dpo.at_equal_kl is None
    assert ipo.at_equal_kl == pytest.approx(by, abs=0.01)
    for runs in made.curves["dpo"].values():
        (_, two, three) = runs
        runs.append({**three, "kl": 8.0, "gold": three["gold"] + 4 / 3 * (three["gold"] - two["gold"])})
    longer = summaries(made)[1]
    assert longer.at_equal_kl == pytest.approx(ipo.at_equal_kl)
    assert longer.ahead != pytest.approx(ipo.ahead)


def test_no_kl_in_common_is_said(tmp_path):
    made = found(tmp_path)
    for runs in made.curves["ipo"].values():
        runs[:] = [{**point, "kl": point["kl"] + 10} for point in runs]
    assert summaries(made)[1].at_equal_kl is None
    write(made)
    assert "no KL in common" in (tmp_path / "table.md").read_text()
    dpo, ipo = csv.DictReader((tmp_path / "table.csv").open())
    assert (dpo["ahead_at_equal_kl"], ipo["ahead_at_equal_kl"]) == ("0.0", "")


def test_the_best_point_of_each_seed(tmp_path):
    """dpo is best after one step at KL 1, with 2, 3, 4; ipo at the end but at seed 0, where both are 2."""
    dpo, ipo = summaries(found(tmp_path))
    assert (dpo.best[0], dpo.x_best[0]) == pytest.approx((3.0, 1.0))
    assert (ipo.best[0], ipo.x_best[0]) == pytest.approx((4.0, 3.0))
    assert (dpo.x_end[0], dpo.others["length"][0]) == (4.0, 12.0)


def test_the_law_is_fitted_to_all_points_of_a_method(tmp_path):
    dpo, ipo = summaries(found(tmp_path))
    assert dpo.law == fit([[(0.0, 0.0), (1.0, 2.0 + s), (4.0, 1.0 + s)] for s in range(3)])
    assert ipo.law.beta < dpo.law.beta
    assert summaries(found(tmp_path, law=None))[0].law is None


def test_a_measurement_that_is_missing_at_one_seed_does_not_shift_the_pairs(tmp_path):
    made = found(tmp_path)
    del made.curves["dpo"][0]
    assert summaries(made)[1].ahead[0] == pytest.approx(2.5)  # seeds 1 and 2: ahead by 2 and 3


def test_the_files(tmp_path):
    made = found(tmp_path)
    write(made)
    data = json.loads((tmp_path / "results.json").read_text())
    assert data["methods"][1]["ahead"][0] == pytest.approx(2.0)
    assert data["curves"]["dpo"]["2"][1]["gold"] == 4.0
    table = (tmp_path / "table.md").read_text().splitlines()
    assert table[0] == "# made_up: 2 methods, 3 seeds"
    assert table[4].startswith("| dpo | 2.00 [-0.48, 4.48] |  | 3.00 [0.52, 5.48] | 1.00 |")
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert float(rows[1]["gold_end_high"]) == pytest.approx(4 + 2 * HALF)
    points = list(csv.DictReader((tmp_path / "points.csv").open()))
    assert len(points) == 18
    assert points[4] == {"method": "dpo", "seed": "1", "step": "4.0", "kl": "1.0", "gold": "3.0", "length": "11.0"}


def test_one_seed_has_no_interval(tmp_path):
    made = found(tmp_path)
    for runs in made.curves.values():
        del runs[1], runs[2]
    write(made)
    text = (tmp_path / "table.md").read_text()
    assert "one seed, so no intervals" in text
    assert "| dpo | 1.00 |  | 2.00 |" in text
    assert json.loads((tmp_path / "results.json").read_text())["methods"][0]["end"] == [1.0, None, None]


def test_the_narrow_table_fits_a_terminal(tmp_path):
    made = found(tmp_path)
    rows = summaries(made)
    headings = [h for h, _ in columns(made, rows, brief=True)]
    assert headings == ["method", "last gold", "minus dpo's", "best gold", "at kl"]
    assert [h for h, _ in columns(made, rows)][:5] == headings


def test_the_figure_is_drawn_twice_with_the_same_bits(tmp_path):
    pytest.importorskip("matplotlib")
    made = found(tmp_path)
    png, svg = figure.draw(made)
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    text = svg.read_text()
    assert "<svg" in text
    before = png.read_bytes()
    figure.draw(made)
    assert png.read_bytes() == before


def test_a_figure_of_many_methods_has_lines_and_no_bands(tmp_path):
    pytest.importorskip("matplotlib")
    made = found(tmp_path)
    assert not figure.crowded(made)
    bands = figure.draw(made)[1].read_text().count("FillBetweenPolyCollection")
    made.curves.update({f"method {i}": made.curves["dpo"] for i in range(8)})
    assert figure.crowded(made)
    text = figure.draw(made)[1].read_text()
    assert bands == 2
    assert "FillBetweenPolyCollection" not in text


def test_the_band_is_that_of_the_seeds(tmp_path):
    made = found(tmp_path)
    start, _, end = figure.band(made, made.curves["dpo"])
    assert start == (0.0, 0.0, 0.0, 0.0)
    assert end == pytest.approx((4.0, 2.0, 2 - HALF, 2 + HALF))


def test_without_matplotlib_the_figure_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "available", lambda: False)
    with pytest.raises(MissingExtraError, match=r"pip install 'posttrain\[plot\]'"):
        figure.draw(found(tmp_path))
