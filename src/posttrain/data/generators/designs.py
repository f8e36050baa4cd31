"""Small circuits in words, each with a testbench: what a design of Verilog is simulated with.

Level 1 has two inputs and an operation, level 2 a third input that chooses between two operations. A reward reads the
columns `testbench` and `output`; `answer` is a block with one right design.
"""

from __future__ import annotations

from collections.abc import Callable

from posttrain.data.problem import Draws, Problem

LEVELS = (1, 2)
TESTS = 6
OPERATIONS: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "a + b": ("their sum", lambda a, b: a + b),
    "a - b": ("`a` less `b`", lambda a, b: a - b),
    "a & b": ("their bitwise and", lambda a, b: a & b),
    "a | b": ("their bitwise or", lambda a, b: a | b),
    "a ^ b": ("their bitwise exclusive or", lambda a, b: a ^ b),
    "~(a | b)": ("their bitwise nor", lambda a, b: ~(a | b)),
    "a > b ? a : b": ("the larger one", max),
    "a > b ? b : a": ("the smaller one", min),
}
NAMES = ("unit", "cell", "block", "stage", "gate", "part")
QUESTION = (
    "Write a Verilog module `{name}(input [{top}:0] a, input [{top}:0] b{more}, output [{top}:0] y)`. Its inputs are "
    "numbers without a sign, and its output is {says}, cut to {width} bits. Answer with one block of Verilog."
)
DESIGN = (
    "```verilog\nmodule {name}(input [{top}:0] a, input [{top}:0] b{more}, output [{top}:0] y);\n"
    "  assign y = {expression};\nendmodule\n```"
)
BENCH = """\
module tb;
  reg [{top}:0] a, b;
  reg c;
  wire [{top}:0] y;
  {name} dut(a, b{more}, y);
  initial begin
{tests}    $finish;
  end
endmodule
"""


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer has another operation."""
    draw = Draws("designs", seed, level, index)
    width, name = draw.integer(3, 12), f"{draw.choose(NAMES)}_{draw.integer(1, 99)}"
    known = list(OPERATIONS)
    first = draw.integer(0, len(known) - 1)
    one, two = known[first], known[(first + draw.integer(1, len(known) - 1)) % len(known)]
    inputs = [(draw.integer(0, 2**width - 1), draw.integer(0, 2**width - 1), k % 2) for k in range(TESTS)]
    shape = {"name": name, "top": width - 1, "width": width, "more": ", input c" if level > 1 else ""}
    says = OPERATIONS[one][0]
    if level > 1:
        says = f"{says} where `c` is 1 and {OPERATIONS[two][0]} where it is 0"
    values = [OPERATIONS[one if c or level == 1 else two][1](a, b) % 2**width for a, b, c in inputs]
    tests = "".join(f'    a = {a}; b = {b}; c = {c}; #1 $display("%0d", y);\n' for a, b, c in inputs)
    right, wrong = (f"c ? ({one}) : ({two})", f"c ? ({two}) : ({one})") if level > 1 else (one, two)
    return Problem(
        question=QUESTION.format(says=says, **shape),
        short=f"{name} {width} {right}:",
        answer=DESIGN.format(expression=right, **shape),
        wrong=DESIGN.format(expression=wrong, **shape),
        columns={
            "testbench": BENCH.format(tests=tests, **{**shape, "more": ", c" if level > 1 else ""}),
            "output": "".join(f"{value}\n" for value in values),
        },
    )
