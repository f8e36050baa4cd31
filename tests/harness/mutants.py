"""Functions broken in every small way, by their syntax tree: a test of the tests.

Use `survivors(fn, Formula, tests)` for a formula and `survivors(fn, Logic, tests)` for a function that decides
something. A mutant that no test notices is a hole in the tests, or equivalent: it computes the same thing, and then it
stands in a table with the reason.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, ModuleType
from typing import Any

import pytest

SWAPPED = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min", "amin": "amax", "amax": "amin"}
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.Eq: ast.NotEq}
TURNED_LOGIC: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Lt, ast.GtE),
    ast.Lt: (ast.Gt, ast.LtE),
    ast.GtE: (ast.Lt, ast.Gt),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
SYMMETRIC = {"min", "max", "seed_for"}  # another order is as good
CONVERSIONS = {"tuple", "list", "sorted", "isinstance"}  # what they are given is of the same content


class Formula(ast.NodeTransformer):
    """Changes the `target`-th place of a function that can be changed.

    Swaps the operands of a minus, turns + into -, * into +, / into *, min into max, drops a minus, turns a comparison
    around, exchanges the first two tensors, or negates the result.
    """

    def __init__(self, target: int, fn: Callable[..., Any]) -> None:
        self.target, self.fn, self.seen, self.done = target, fn, -1, ""
        kinds = [p.kind for p in inspect.signature(fn).parameters.values()]
        self.by_name = isinstance(self, Logic) and inspect.Parameter.KEYWORD_ONLY in kinds  # so is a procedure called

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
        if type(node.ops[0]) in TURNED and self.here("turn", before):
            node.ops[0] = TURNED[type(node.ops[0])]()
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
                assert node.value is not None
                node.value = ast.UnaryOp(ast.USub(), node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns = [], None
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        self.generic_visit(node)
        names = [a for a in node.args.args if a.arg not in ("self", "state", "rows", "session")]
        if (
            len(names) > 1
            and not self.by_name
            and self.here("exchange", ast.Tuple([ast.Name(a.arg) for a in names[:2]]))
        ):
            names[0].arg, names[1].arg = names[1].arg, names[0].arg
        return node


class Logic(Formula):
    """Breaks decisions besides arithmetic.

    Turns a comparison or moves its boundary, negates a condition or drops it, exchanges `and` and `or`, the two sides
    of a choice, the first two arguments of a call, drops a keyword, a statement, a slice, a call around its first
    argument, adds 1 to a whole number, and reads a setting's default in the place of the setting.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.args.defaults, node.args.kw_defaults = [], [None] * len(node.args.kwonlyargs)  # the function keeps its own
        return super().visit_FunctionDef(node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.Not):
            self.generic_visit(node)
            return node.operand if self.here("drop not", node) else node
        return super().visit_UnaryOp(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        for i, op in enumerate(before.ops):
            for other in TURNED_LOGIC.get(type(op), ()):
                if self.here(f"to {other.__name__}", before):
                    node.ops[i] = other()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        if self.here("and to or", before):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        before = node.test
        self.generic_visit(node)
        if self.here("negate if", before):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.body = [*ast.parse("from tests.harness.mutants import count_loop\ncount_loop()").body, *node.body]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        if self.here("other side", before):
            node.body, node.orelse = node.orelse, node.body
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        before = list(node.ifs)
        self.generic_visit(node)
        for i, condition in enumerate(before):
            if self.here("drop if", condition):
                del node.ifs[i]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return self._statement(node) if isinstance(node.value, ast.Call) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        return self._statement(node)

    def _statement(self, node: ast.stmt) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        return ast.Pass() if self.here("drop", before) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        before = copy.deepcopy(node)
        self.generic_visit(node)
        return node.value if isinstance(node.slice, ast.Slice) and self.here("drop slice", before) else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            return ast.Constant(not node.value) if self.here("not", node) else node
        if isinstance(node.value, int) and self.here("add 1", node):
            return ast.Constant(node.value + 1)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        before = copy.deepcopy(node)
        changed = super().visit_Call(node)
        assert isinstance(changed, ast.Call)
        plain = [a for a in changed.args if not isinstance(a, ast.Starred)]
        differ = len({ast.dump(a) for a in plain[:2]}) > 1
        name = ast.unparse(before.func).rpartition(".")[2]
        if differ and name not in SYMMETRIC and self.here("swap arguments", before):
            changed.args[0], changed.args[1] = changed.args[1], changed.args[0]
        for i, keyword in enumerate(before.keywords):
            if keyword.arg not in (None, "strict") and self.here(f"drop {keyword.arg}", before):
                del changed.keywords[i]
        converts = isinstance(before.func, ast.Name) and before.func.id in CONVERSIONS
        return plain[0] if plain and not converts and self.here("unwrap", before) else changed

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "strict" else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        settings = inspect.signature(self.fn).parameters
        setting = settings.get(node.id)
        if not isinstance(node.ctx, ast.Load) or setting is None or setting.kind is not setting.KEYWORD_ONLY:
            return node
        if setting.default is setting.empty or not self.here("default", node):
            return node
        text = repr(setting.default) if isinstance(setting.default, str | int | float | tuple | None) else "{}"
        return ast.parse(text, mode="eval").body


def mutants(fn: Callable[..., Any], kind: type[Formula]) -> Iterator[tuple[str, CodeType]]:
    """(what was changed, code) of every mutant."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
    for target in itertools.count():
        mutator = kind(target, fn)
        changed = mutator.visit(copy.deepcopy(tree))
        if not mutator.done:
            return
        space = dict(fn.__globals__)
        try:
            exec(compile(ast.fix_missing_locations(changed), "<mutant>", "exec"), space)
        except SyntaxError:
            continue
        yield mutator.done, space[fn.__name__].__code__


_loops = itertools.count()


def count_loop() -> None:
    """Called in every loop of a mutant that would otherwise be endless."""
    if next(_loops) > 10_000:
        raise RecursionError("endless")


def functions_of(module: ModuleType) -> list[Callable[..., Any]]:
    """The functions that a module defines, and the methods and properties of its classes that its file writes out."""
    own = [x for x in vars(module).values() if getattr(x, "__module__", None) == module.__name__]
    members = [m for c in own if inspect.isclass(c) for m in vars(c).values()]
    functions = (m.fget if isinstance(m, property) else m for m in (*own, *members))
    return [f for f in functions if inspect.isfunction(f) and f.__code__.co_filename == module.__file__]


def survivors(fn: Callable[..., Any], kind: type[Formula], tests: Sequence[Callable[[], None]]) -> set[str]:
    """What was changed in the mutants of a function that none of the tests notices."""
    global _loops
    code, left, tests = fn.__code__, set(), list(tests)
    try:
        for what, broken in mutants(fn, kind):
            fn.__code__, _loops = broken, itertools.count()
            if (noticed := first_failure(tests)) is None:
                left.add(what)
            else:  # it may well notice the next one, too
                tests.insert(0, tests.pop(noticed))
    finally:
        fn.__code__ = code
    return left


def notices(tests: Sequence[Callable[[], None]]) -> bool:
    """Whether one of the tests fails, in whatever way."""
    return first_failure(tests) is not None


def first_failure(tests: Sequence[Callable[[], None]]) -> int | None:
    """Which of the tests fails first."""
    for number, test in enumerate(tests):
        try:
            test()
        except (Exception, pytest.fail.Exception):
            return number
    return None


def cases_of(module: ModuleType, prefix: str) -> list[Callable[[], None]]:
    """The tests of a module whose names begin so, once for each value of their parameters. None may need a fixture."""
    named = [test for name, test in vars(module).items() if name.startswith(prefix)]
    return [functools.partial(test, **given) for test in named for given in _parameters(test)]


def _parameters(test: Callable[..., None]) -> list[dict[str, object]]:
    marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
    cases: list[dict[str, object]] = [{}]
    for mark in marks:
        names, values = mark.args
        names = [names] if isinstance(names, str) else names
        own = [dict(zip(names, v if len(names) > 1 else (v,), strict=True)) for v in values]
        cases = [case | more for case in cases for more in own]
    return cases
