"""Arithmetic of a text, exact and bounded: parsed, never evaluated as a program."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

LONGEST, LARGEST = 500, 10**50  # characters, and what no number exceeds
BINARY: Mapping[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculate(expression: str) -> str:
    """Compute an expression of numbers with + - * / and parentheses.

    Args:
        expression: what to compute, such as (3 + 4) * 12
    """
    if len(expression) > LONGEST:
        raise ValueError(f"the expression has more than {LONGEST} characters")
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError("this is no arithmetic expression") from None
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.12g}"


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            value = Fraction(str(number))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value = -_value(operand) if isinstance(sign, ast.USub) else _value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in BINARY:
            value = BINARY[type(sign)](_value(left), _value(right))
        case _:
            raise ValueError("only numbers, + - * / and parentheses are allowed")
    if abs(value) > LARGEST or value.denominator > LARGEST:
        raise ValueError("the numbers become too large")
    return value
