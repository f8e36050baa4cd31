"""Which keys of the run file the library reads, found in its syntax trees: `run.train.keep` reads `keep` of Train.

An expression is known to be a section when it
- ends in the key of a section: `run.train`, `self.session.run.train`, `run.data[...]`, `run.models.values()`;
- is a parameter, or a call of a function, that is annotated with the class of a section;
- is a name or attribute that a section was assigned to, or that a loop over sections binds, in the same file.
Only what is read from such an expression counts, so another object's attribute of the same name does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from posttrain.config.section import Section

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PASSING = {"values", "items", "model_copy"}  # what these return holds sections where their owner does


def members(owner: type[Section]) -> Iterator[tuple[type[Section], str, list[type[Section]]]]:
    """(class, key, classes of sections behind the key) of a section and all sections inside it."""
    for name, info in owner.model_fields.items():
        inner = list(_sections(info.annotation))
        yield owner, name, inner
        for kind in inner:
            yield from members(kind)


def leaves(owner: type[Section]) -> set[tuple[str, str]]:
    """(class, key) of every key without keys of its own. The path of code counts, its settings are not the schema's."""
    return {_declared(cls, key) for cls, key, inner in members(owner) if not inner}


def read(owner: type[Section], texts: Iterable[str]) -> set[tuple[str, str]]:
    """(class, key) of every key of the run file that is read in these source texts."""
    keys = {key: inner[0].__name__ for _, key, inner in members(owner) if inner}
    declared = {(cls.__name__, key): _declared(cls, key) for cls, key, _ in members(owner)}
    classes = {name for name, _ in declared}
    trees = [ast.parse(text) for text in texts]
    calls = {f.name: _named(f.returns, classes) for tree in trees for f in ast.walk(tree) if isinstance(f, FUNCTIONS)}
    returning = {name: kind for name, kind in calls.items() if kind}
    found = {one for tree in trees for one in File(keys, classes, returning).read(tree)}
    return {declared.get(one, one) for one in found}


def _declared(owner: type[Section], key: str) -> tuple[str, str]:
    """(class, key) with the class that declares the key, which another one may inherit."""
    return next(cls.__name__ for cls in owner.__mro__ if key in cls.__annotations__), key


@dataclass
class File:
    """What is known of one file: the section that each name or attribute holds, `t` or `settings`."""

    keys: Mapping[str, str]
    classes: set[str]
    returning: Mapping[str, str]
    names: dict[str, str] = field(default_factory=dict)

    def read(self, tree: ast.Module) -> Iterator[tuple[str, str]]:
        before = -1
        while len(self.names) > before:  # a name may be assigned from another one
            before = len(self.names)
            for node in ast.walk(tree):
                self._bind(node)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and (kind := self.kind(node.value)):
                yield kind, node.attr

    def kind(self, node: ast.expr) -> str | None:
        """The class of the section that an expression is, as far as it is known."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            return self.keys.get(node.attr) or self.names.get(node.attr)
        if isinstance(node, ast.Subscript):
            return self.kind(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in PASSING and isinstance(node.func, ast.Attribute):
                return self.kind(node.func.value)
            return self.returning.get(name)
        return None

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.arg):
            self._name(node.arg, _named(node.annotation, self.classes))
        elif isinstance(node, ast.AnnAssign):
            self._target(node.target, _named(node.annotation, self.classes))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value)
        elif isinstance(node, ast.NamedExpr):
            self._assign(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            target = node.target
            if isinstance(target, ast.Tuple):  # for role, spec in run.models.items()
                target = target.elts[-1]
            self._assign(target, node.iter)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for inner, part in zip(target.elts, value.elts, strict=True):
                self._target(inner, self.kind(part))
        else:
            self._target(target, self.kind(value))

    def _target(self, target: ast.expr, kind: str | None) -> None:
        if isinstance(target, ast.Name | ast.Attribute):
            self._name(target.id if isinstance(target, ast.Name) else target.attr, kind)

    def _name(self, name: str, kind: str | None) -> None:
        if kind:
            self.names.setdefault(name, kind)


def _named(annotation: ast.expr | None, classes: set[str]) -> str | None:
    """The section that an annotation names: `Train`, `"Train"`, `schema.Train`, `Train | None`."""
    if annotation is None:
        return None
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    words = {part.strip().rpartition(".")[2] for part in str(text).split("|")}
    return next(iter(sorted(words & classes)), None)


def _sections(annotation: Any) -> Iterator[type[Section]]:
    """The classes of sections in a type: that of `Lora | None`, of `dict[str, Model]`, of `tuple[RewardRef, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)
