"""Designs of Verilog: the share of the tests that they pass, and hostile ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.rewards.bundled.verilog import design_of, share, verilog
from tests.harness.icarus import icarus  # noqa: F401 -- a fixture

pytestmark = pytest.mark.paper("wang20252c7")

ROWS = [json.loads(x) for x in (Path(__file__).parents[2] / "recipes" / "designs.jsonl").read_text().splitlines()]
ADDER = ROWS[0]
HEAD = "module adder(input [3:0] a, input [3:0] b, output [4:0] s);\n"


def score(body, row=ADDER, seconds=60.0):
    answer = f"```verilog\n{HEAD}{body}\nendmodule\n```"
    return verilog([answer], [row["testbench"]], [row["output"]], seconds=seconds)[0]


@pytest.mark.usefixtures("icarus")
def test_the_share_of_the_lines_orders_designs():
    assert score("assign s = a + b;") == 1.0
    assert score("assign s = {1'b0, a};") == 0.25  # right where b is 0
    assert score("assign s = 5'bx;") == 0.0
    assert score("assign s = a + ;") == 0.0


@pytest.mark.usefixtures("icarus")
@pytest.mark.parametrize(
    "body",
    [
        'initial repeat (4) $display("0");',  # prints lines of its own
        "initial begin $finish; end",
        'initial begin while (1) $display("0"); end',
        '`include "/etc/passwd"',
        "endmodule\nmodule tb;",
    ],
)
def test_hostile_designs_get_nothing(body):
    assert score(f"{body}\nassign s = a + b;") == 0.0


@pytest.mark.usefixtures("icarus")
def test_a_simulation_without_end_gets_nothing():
    assert score("initial while (1) ;\nassign s = a + b;", seconds=0.2) == 0.0


@pytest.mark.usefixtures("icarus")
def test_the_rows_of_the_recipe_have_the_lines_of_their_solutions():
    solutions, benches, outputs = ([row[key] for row in ROWS] for key in ("solution", "testbench", "output"))
    assert verilog(solutions[1:], benches[1:], outputs[1:], seconds=60.0) == [1.0] * (len(ROWS) - 1)
    assert all(row["prompt"] not in row["solution"] for row in ROWS)


def test_the_last_block_counts_and_lines_too_many_are_nothing():
    assert design_of("```verilog\na\n```\n```sv\nb\n```\n```python\nc\n```") == "b\n"
    assert design_of("module m; endmodule") == "module m; endmodule"
    assert share(["1", "2"], ["1", "3", "4"]) == pytest.approx(1 / 3)
    assert share(["1", "2", "3"], ["1", "2"]) == 0.0
    assert share([], ["1"]) == 0.0
