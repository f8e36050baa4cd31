"""The golden numbers notice: every formula that a method reads is broken in every small way, and one must fail.

A mutant swaps the operands of a minus, turns + into -, * into +, / into *, min into max, drops a minus, turns a
comparison around, exchanges the first two tensors, or negates the result.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.core.maths import divergence
from posttrain.core.maths.groups import Groups
from posttrain.core.parts import pick
from tests.methods.golden import ROWS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of formulas that are broken on purpose
HERE = Path(__file__).parent
SWAPPED = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min"}
# Mutants that compute the same thing, or that differ only where no batch can be.
EQUIVALENT: dict[str, set[str]] = {
    "Groups.std": {"swap: x - self.mean(x)"},  # squared
    "add_value": {"exchange: (credit, old_value)"},  # a sum
    "advantage_error": {"swap: logp - ref_logp - token_reward / beta"},  # squared
    "clipped_value": {"swap: value - returns", "swap: near - returns"},  # squared
    "conservative": {"drop -: -1"},  # the last of two axes
    "convex": {"swap: z - 1"},  # squared
    "explained_variance": {
        "swap: returns - old_value",  # a variance
        "negate: return target.new_zeros(())",  # zero
    },
    "forward_kl": {"drop -: -1"},  # the last of two axes
    "gap_std_ema": {"exchange: (chosen, rejected)", "swap: chosen - rejected"},  # a standard deviation
    "log_odds": {"drop -: -math.log(2)", "turn: mean > -math.log(2)"},  # two ways to compute one number
    "on_policy_weight": {
        "negate: return bounded_exp(rows.mean(logp.detach() - usual))",  # read as a product of two
        "drop -: -1",  # the last of two axes
    },
    "one_step_error": {"swap: token_reward + gamma * rows.next(value.detach()) - taken_q"},  # squared
    "reinforce": {"exchange: (logp, advantage)"},  # a product
    "reward_gap": {"swap: a - b"},  # squared
    "safety_target": {
        "swap: chosen - rejected - (1.5 * chosen_safe - 0.5 * rejected_safe - alpha) / tau",  # squared
    },
    "sampler_gap": {"swap: old_logp - rollout_logp", "exchange: (old_logp, rollout_logp)"},  # an absolute value
    "soft_bellman": {
        "swap: reward - value.detach() - tau * score",  # squared
        "swap: reward - value - tau * score.detach()",  # squared
    },
    "squared_error": {"exchange: (value, target)", "swap: value - target"},  # squared
    "squared": {"swap: chosen - rejected - 1 / (2 * tau)"},  # squared
    "surrogate": {"exchange: (advantage, ratio)"},  # a product
    "taken": {"drop -: -1"},  # the last of two axes
    "times_row_weight": {"exchange: (score, row_weight)"},  # a product
    "times_weight": {"exchange: (loss, pair_weight)"},  # a product
    "kept_pairs": {"swap: chosen - rejected - mean_gap"},  # squared
    "self_play": {"swap: chosen - 1 / (2 * beta)"},  # squared
    "midpoint_ema": {"exchange: (chosen, rejected)"},  # a sum
    "whiten": {"negate: return torch.zeros_like(credit)"},  # zero
}


def readers() -> dict[Callable, list[str]]:
    """Every function that a shipped method reads, and those methods; the helpers that they stand on."""
    found: dict[Callable, list[str]] = {}
    for path in catalogue.paths():
        method = catalogue.load(path)
        slots = [*method.derived.values(), *method.loss.values(), *method.metrics.values()]
        for fn in dict.fromkeys(p.fn for slot in slots for p in slot.part.walk() if p.fn is not pick):
            found.setdefault(fn, []).append(path)
    helpers = [divergence.bounded_exp, divergence.k1, divergence.k2, divergence.k3, Groups.sum, Groups.mean, Groups.std]
    return found | dict.fromkeys(helpers, ["online/grpo"])


FUNCTIONS = {fn.__qualname__: fn for fn in readers()}


def goldens(path: str) -> list[Callable[[], None]]:
    """A method's rows of the golden table, and every test_golden* of its own file with its parameters filled in."""
    rows = [row.check for row in ROWS if row.path == path]
    folder, name = path.split("/")
    if not (HERE / folder / f"test_{name}.py").exists():
        return rows
    module = importlib.import_module(f"tests.methods.{folder}.test_{name}")
    own = [test for name, test in vars(module).items() if name.startswith("test_golden")]
    return rows + [functools.partial(test, **given) for test in own for given in parameters(test)]


def parameters(test: Callable) -> list[dict[str, object]]:
    marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
    if not marks:
        return [{}]
    names, values = marks[0].args
    names = [names] if isinstance(names, str) else names
    return [dict(zip(names, v if len(names) > 1 else (v,), strict=True)) for v in values]


class Mutator(ast.NodeTransformer):
    """Changes the `target`-th place of a function that can be changed."""

    def __init__(self, target: int) -> None:
        self.target, self.seen, self.done = target, -1, ""

    def here(self, what: str, node: ast.AST) -> bool:
        self.seen += 1
        if self.seen == self.target:
            self.done = f"{what}: {ast.unparse(node)}"
        return self.seen == self.target

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        match node.op:
            case ast.Sub() if self.here("swap", before):
                node.left, node.right = node.right, node.left
            case ast.Add() if self.here("+ to -", before):
                node.op = ast.Sub()
            case ast.Mult() if self.here("* to +", before):
                node.op = ast.Add()
            case ast.Div() if self.here("/ to *", before):
                node.op = ast.Mult()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self.here("drop -", node) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        turned = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.Eq: ast.NotEq}
        if type(node.ops[0]) in turned and self.here("turn", before):
            node.ops[0] = turned[type(node.ops[0])]()
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SWAPPED and self.here("min to max", before):
            target = node.func
            setattr(target, "attr" if isinstance(target, ast.Attribute) else "id", SWAPPED[name])
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if self.here("negate", node):
            if isinstance(node.value, ast.Tuple):
                node.value.elts[1] = ast.UnaryOp(ast.USub(), node.value.elts[1])
            else:
                node.value = ast.UnaryOp(ast.USub(), node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns = [], None
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        self.generic_visit(node)
        names = [a for a in node.args.args if a.arg not in ("self", "state", "rows")]
        if len(names) > 1 and self.here("exchange", ast.Tuple([ast.Name(a.arg) for a in names[:2]])):
            names[0].arg, names[1].arg = names[1].arg, names[0].arg
        return node


def mutants(fn: Callable) -> Iterator[tuple[str, object]]:
    """(what was changed, code) of every mutant."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
    for target in itertools.count():
        mutator = Mutator(target)
        changed = mutator.visit(copy.deepcopy(tree))
        if not mutator.done:
            return
        space = dict(fn.__globals__)
        exec(compile(ast.fix_missing_locations(changed), "<mutant>", "exec"), space)
        yield mutator.done, space[fn.__name__].__code__


def notices(tests: list[Callable[[], None]]) -> bool:
    for test in tests:
        try:
            test()
        except Exception:  # a golden number that changed, or a formula that no longer runs
            return True
    return False


@pytest.mark.parametrize("path", catalogue.paths())
def test_every_method_has_golden_numbers_and_they_hold(path):
    assert goldens(path), f"no row of tests/methods/golden is of {path}"
    assert not notices(goldens(path))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_broken_formula_is_noticed(name, monkeypatch):
    fn, survivors = FUNCTIONS[name], set()
    tests = [test for path in readers()[fn] for test in goldens(path)]
    for what, code in mutants(fn):
        with monkeypatch.context() as patch:
            patch.setattr(fn, "__code__", code)
            if not notices(tests):
                survivors.add(what)
    assert survivors == EQUIVALENT.get(name, set())
