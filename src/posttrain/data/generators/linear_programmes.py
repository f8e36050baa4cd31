"""Small linear programmes in words, each with its optimum: what SIRL trains on, in two unknowns.

Level 1 allows fractions, level 2 asks for whole numbers. A reward reads the column `objective`; `answer` is a thought,
a model in words, and the model in the format lp, which the reward `solver` solves.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from posttrain.data.problem import Draws, Problem

LEVELS = (1, 2)
THINGS = (("chairs", "tables"), ("cakes", "pies"), ("shirts", "coats"), ("boats", "rafts"), ("lamps", "clocks"))
NEEDS = (("hours", "boards"), ("hours", "eggs"), ("metres", "buttons"), ("hours", "planks"), ("watts", "screws"))
QUESTION = (
    "A workshop makes {x} and {y}. Of the {x} each earns {a} and needs {d} {h} and {e} {m}; of the {y} each earns {b} "
    "and needs {f} {h} and {g} {m}. There are {p} {h} and {q} {m}. {kind} What is the largest profit? Think between "
    "<think> and </think>, write the model in words between <model> and </model>, then as a block of the language lp:\n"
    "```lp\nmax\n 2 u + 1 v\nst\n 1 u + 1 v <= 9\n{general}end\n```"
)
KINDS = {1: "Parts of one may be made.", 2: "Only whole ones are made."}
ANSWER = (
    "<think>The number of {x} is x, that of {y} is y.</think>\n<model>Maximise {a} x + {b} y. For the {h}, {d} x + {f} "
    "y is at most {p}. For the {m}, {e} x + {g} y is at most {q}.</model>\n"
    "```lp\nmax\n {a} x + {b} y\nst\n {d} x + {f} y <= {p}\n {e} x + {g} y <= {q}\n{general}end\n```"
)
SHORT = "{a}x+{b}y {d}x+{f}y<={p} {e}x+{g}y<={q} {x} {y} max{whole}:"


@dataclass(frozen=True)
class Programme:
    """max a x + b y where d x + f y <= p, e x + g y <= q, x >= 0, y >= 0; all coefficients are above 0."""

    a: int
    b: int
    d: int
    f: int
    p: int
    e: int
    g: int
    q: int

    def optimum(self, *, whole: bool) -> Fraction:
        """Compute the optimum over whole numbers, or over all, where it is at a corner."""
        if whole:
            most = range(min(self.p // self.d, self.q // self.e) + 1)
            return max(self._best(Fraction(x), whole=True) for x in most)
        corners = [Fraction(0), min(Fraction(self.p, self.d), Fraction(self.q, self.e))]
        if slope := self.d * self.g - self.e * self.f:
            corners.append(Fraction(self.p * self.g - self.q * self.f, slope))
        return max(self._best(x, whole=False) for x in corners if 0 <= x <= corners[1])

    def _best(self, x: Fraction, *, whole: bool) -> Fraction:
        """Compute the best value at this x."""
        y = min((self.p - self.d * x) / self.f, (self.q - self.e * x) / self.g)
        return self.a * x + self.b * (Fraction(y // 1) if whole else y)


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer minimises."""
    draw = Draws("linear_programmes", seed, level, index)
    kind = draw.integer(0, len(THINGS) - 1)
    a, b = draw.integer(2, 9), draw.integer(2, 9)
    d, f, e, g = (draw.integer(1, 9) for _ in range(4))
    programme = Programme(a, b, d, f, draw.integer(10, 60), e, g, draw.integer(10, 60))
    words = {"x": THINGS[kind][0], "y": THINGS[kind][1], "h": NEEDS[kind][0], "m": NEEDS[kind][1], **vars(programme)}
    answer = ANSWER.format(general="general\n x y\n" if level > 1 else "", **words)
    return Problem(
        question=QUESTION.format(kind=KINDS[level], general="general\n u v\n" if level > 1 else "", **words),
        short=SHORT.format(whole=" whole" * (level > 1), **words),
        answer=answer,
        wrong=answer.replace("lp\nmax", "lp\nmin"),
        columns={"objective": float(programme.optimum(whole=level > 1))},
    )
