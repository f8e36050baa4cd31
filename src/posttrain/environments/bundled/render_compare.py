"""Learning Only with Images: Visual RL with Reasoning, Rendering, and Visual Feedback (Chen et al., 2025): RRVF.

    R = w_v R_vision + w_f R_format + w_t R_tool

The policy sees a picture and writes SVG that draws it. The tool `render` draws a draft and says which cells are wrong;
the policy revises it, and its last turn, which calls no tool, is the answer.

    R_vision = similarity of the answer's picture to the true one, from 0 to 1; 0 for what cannot be drawn
    R_format = 1 if the answer is one block of the language svg that can be drawn, else 0
    R_tool   = different drafts that could be drawn / `enough`, at most 1; 1 for an answer whose picture is the true one

Calls earn nothing where the answer cannot be drawn. A right answer has the largest reward with any number of calls, so
that no calls beat one. In the paper pictures are images, and a model describes the differences and scores the answer;
here pictures are texts of coloured cells, which makes all of it exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.canvas import COLOURS, DrawingError, differences, render, similarity
from posttrain.environments.environment import Action, Outcome, Tool
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.records import Message, Prompt

ASKED = (
    "Here is a picture of {size} rows and columns. Letters are colours ({colours}), and a dot is a blank cell.\n\n"
    "{picture}\n\nWrite SVG that draws it. There are <rect x y width height fill>, <circle cx cy r fill> and <line x1 "
    "y1 x2 y2 stroke>, in whole cells from the upper left corner. You may try drafts with the tool render. Answer with "
    "one block:\n```svg\n<svg>...</svg>\n```"
)
_BLOCK = re.compile(r"```svg[ \t]*\n(.*?)```", re.DOTALL)
NAMES = {letter: colour for colour, letter in COLOURS.items()} | {".": "blank"}
TOLD = 12  # wrong cells that a reply names


class RenderCompare(ToolEnvironment):
    """A picture to draw in SVG. Reads the column `picture`: a letter for each cell, a line for each row.

    Settings:
        vision: w_v, weight of the likeness of the picture; above 0.
        form: w_f, weight of the form of the answer; 0 or more.
        tool: w_t, weight of the calls of the tool; 0 or more.
        enough: different drafts beyond which calls earn nothing more; at least 1.
        turns: turns of the policy, the last of which must be an answer; at least 1 and at most `max_turns`.
    """

    def __init__(
        self, *, vision: float = 1.0, form: float = 0.2, tool: float = 0.1, enough: int = 2, turns: int = 4
    ) -> None:
        self.weights = (vision, form, tool)
        self.left = turns
        self.enough = enough
        self.picture = ""
        self.drafts: set[str] = set()

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make pictures of two shapes on eight rows and columns."""
        pictures = [render(drawing(k, seed), 8) for k in range(count)]
        listed = ", ".join(f"{letter} {colour}" for colour, letter in COLOURS.items())
        return [
            {"prompt": [{"role": "user", "content": ASKED.format(size=8, colours=listed, picture=p)}], "picture": p}
            for p in pictures
        ]

    def tools(self) -> Sequence[Tool]:
        """Return the tool that draws a draft."""
        return (self.render,)

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the picture, which the prompt shows."""
        self.picture = str(prompt.columns.get("picture") or "").strip("\n")
        rows = self.picture.split("\n")
        if {len(row) for row in rows} != {len(rows)} or not set("".join(rows)) <= set(NAMES):
            raise ValueError(
                f"render_compare reads the column picture, rows and columns of {''.join(NAMES)}: {prompt.where}"
            )
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        """Draw the drafts of the calls; without any, and in the last turn, judge the answer."""
        self.left -= 1
        if (action.calls or action.unread) and self.left > 0:
            return super().step(action)
        vision, form, tool = parts = self._judged(action.text)
        reward = sum(w * part for w, part in zip(self.weights, parts, strict=True))
        return Outcome(reward=reward, done=True, info={"vision": vision, "format": form, "tool": tool})

    def render(self, svg: str) -> str:
        """Draw SVG and say which cells differ from the picture.

        Args:
            svg: the drawing, from <svg> to </svg>.
        """
        made = render(svg, self.picture.count("\n") + 1)
        self.drafts.add(made)
        wrong = differences(made, self.picture)
        if not wrong:
            return "Every cell is right."
        cells = "; ".join(f"row {r}, column {c} is {NAMES[a]}, should be {NAMES[b]}" for r, c, a, b in wrong[:TOLD])
        return f"{made}\n{len(wrong)} cells are wrong: {cells}{'; ...' if len(wrong) > TOLD else ''}"

    def _judged(self, text: str) -> tuple[float, float, float]:
        """Compute R_vision, R_format and R_tool of an answer."""
        blocks = _BLOCK.findall(text)
        try:
            made = render(blocks[-1] if blocks else "", self.picture.count("\n") + 1)
        except DrawingError:
            return 0.0, 0.0, 0.0
        right = made == self.picture
        calls = 1.0 if right else min(len(self.drafts), self.enough) / self.enough
        return similarity(made, self.picture), float(len(blocks) == 1), calls


def drawing(index: int, seed: int) -> str:
    """Make a drawing of two shapes, a pure function of the arguments."""
    draw = Draws("render_compare", seed, index)
    return f"<svg>{_shape(draw)}{_shape(draw)}</svg>"


def _shape(draw: Draws) -> str:
    colour, x, y = draw.choose(tuple(COLOURS)), draw.integer(0, 5), draw.integer(0, 5)
    kind, one, two = draw.integer(0, 2), draw.integer(1, 4), draw.integer(1, 4)
    if kind == 0:
        return f'<rect x="{x}" y="{y}" width="{one}" height="{two}" fill="{colour}"/>'
    if kind == 1:
        return f'<circle cx="{x + 1}" cy="{y + 1}" r="{1 + one // 2}" fill="{colour}"/>'
    return f'<line x1="{x}" y1="{y}" x2="{x + one}" y2="{y + two}" stroke="{colour}"/>'
