"""OpenThinkIMG: Learning to Think with Images via Visual Tool Reinforcement Learning (Su et al., 2025): V-ToolRL.

    R = R_acc + w R_format,    R_format = share of the turns that are JSON with a thought or actions

The policy answers questions about a picture that it cannot see, by calling tools that look at it. Each turn is

    {"thought": "...", "actions": [{"name": "point", "arguments": {"param": "sign"}}]}

and the action Terminate(ans) gives the answer: R_acc is 1 where it is that of the column `answer`, as a number or as a
text. An action that cannot be carried out is answered with an error. In the paper pictures are images, and tools answer
with text and images. Here a picture is a list of things in the column `scene`, and the tools answer with text alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Action, Call, Environment, Outcome, Tool
from posttrain.environments.tools.call import Toolbox
from posttrain.records import Message, Prompt

ASKED = (
    "{question} You cannot see the picture, but tools can: point(param) says where the things of a name are, zoom(x, "
    "y) says which thing is at a place and its colour, ocr(x, y) reads what is written there. Write each turn as JSON: "
    '{{"thought": "...", "actions": [{{"name": "point", "arguments": {{"param": "sign"}}}}]}}. Give the answer with '
    '{{"name": "Terminate", "arguments": {{"ans": "..."}}}}.'
)
NAMES = ("sign", "box", "door", "flag", "cup")
COLOURS = ("red", "green", "blue", "white")
WORDS = ("exit", "open", "north", "fragile", "tea", "seven")
END = "Terminate"


class VisualTools(Environment):
    """Questions about a picture that tools look at. Reads the columns `scene` and `answer`.

    Settings:
        turns: turns of the policy, after which there is no answer; at least 1 and at most `max_turns`.
        form: w, weight of the share of well-formed turns; 0 (the paper's default: accuracy alone) to below 1.
    """

    def __init__(self, *, turns: int = 4, form: float = 0.0) -> None:
        self.turns = turns
        self.form = form
        self.formed: list[bool] = []
        self.scene: Sequence[Mapping[str, Any]] = ()
        self.answer = ""
        self.toolbox = Toolbox([self.point, self.zoom, self.ocr])

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make pictures of four things, and ask for a number, a colour or a word."""
        return [_task(Draws("visual_tools", seed, k)) for k in range(count)]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the question."""
        if missing := [name for name in ("scene", "answer") if prompt.columns.get(name) is None]:
            raise ValueError(f"visual_tools reads the columns scene and answer; {prompt.where} has no {missing[0]}")
        self.scene, self.answer = prompt.columns["scene"], str(prompt.columns["answer"])
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        """Carry out the actions of a turn in their order; the first Terminate ends the episode."""
        try:
            calls = actions_of(action.text)
        except ValueError as error:
            calls = []
            said = [f"Error: {error}"]
        else:
            said = []
        self.formed.append(not said)
        for call in calls:
            if call.name == END:
                return self._over(same(str(call.arguments.get("ans", "")), self.answer))
            said.append(self.toolbox.call(call).text)
        if len(self.formed) >= self.turns:
            return self._over(right=False)
        return Outcome(({"role": "user", "content": "\n".join(said) or "Error: there is no action"},))

    def _over(self, right: bool) -> Outcome:
        form = sum(self.formed) / len(self.formed)
        return Outcome(
            reward=float(right) + self.form * form, done=True, info={"accuracy": float(right), "format": form}
        )

    def tools(self) -> Sequence[Tool]:
        """No tools of the chat template: the format of the paper is its own."""
        return ()

    def point(self, param: str) -> str:
        """Say where the things of a name are.

        Args:
            param: the name.
        """
        places = [f"({thing['x']}, {thing['y']})" for thing in self.scene if thing["name"] == param]
        return f"{param}: {', '.join(places) or 'none'}"

    def zoom(self, x: int, y: int) -> str:
        """Say which thing is at a place.

        Args:
            x: column of the place.
            y: row of the place.
        """
        thing = self._at(x, y)
        return f"a {thing['colour']} {thing['name']}" if thing else "nothing"

    def ocr(self, x: int, y: int) -> str:
        """Read what is written at a place.

        Args:
            x: column of the place.
            y: row of the place.
        """
        thing = self._at(x, y)
        return f'"{thing["text"]}"' if thing and thing["text"] else "no text"

    def _at(self, x: int, y: int) -> Mapping[str, Any] | None:
        return next((thing for thing in self.scene if (thing["x"], thing["y"]) == (x, y)), None)


def actions_of(text: str) -> list[Call]:
    """Read the actions of a turn. Raises ValueError for what is no JSON with a thought or actions."""
    try:
        turn = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the turn is no JSON: {str(error)[:80]}") from error
    if not isinstance(turn, dict) or not {"thought", "actions"} & set(turn):
        raise ValueError("the turn has neither a thought nor actions")
    actions = turn.get("actions", [])
    if not isinstance(actions, list) or not all(_is_action(action) for action in actions):
        raise ValueError('actions must be a list of {"name": ..., "arguments": {...}}')
    return [Call(action["name"], action["arguments"]) for action in actions]


def _is_action(action: Any) -> bool:
    return (
        isinstance(action, dict) and isinstance(action.get("name"), str) and isinstance(action.get("arguments"), dict)
    )


def same(given: str, wanted: str) -> bool:
    """Whether two answers are the same number, or the same text but for capitals and space at the ends."""
    try:
        return Decimal(given.strip()) == Decimal(wanted.strip())
    except InvalidOperation:
        return given.strip().casefold() == wanted.strip().casefold()


def _task(draw: Draws) -> dict[str, Any]:
    """Make a picture and a question; things of one name differ in their places alone."""
    first = draw.integer(0, len(NAMES) - 1)
    kinds = [NAMES[(first + k) % len(NAMES)] for k in (0, 1, 2)]
    shift = draw.integer(0, 9)
    scene = [
        {"name": name, "colour": draw.choose(COLOURS), "text": "", "x": (shift + 3 * at) % 10, "y": draw.integer(0, 9)}
        for at, name in enumerate([*kinds, kinds[2]])
    ]
    scene[0]["text"] = draw.choose(WORDS)
    question, answer = (
        (f"How many {kinds[2]} things are in the picture?", "2"),
        (f"What is written on the {kinds[0]}?", str(scene[0]["text"])),
        (f"Which colour has the {kinds[1]}?", str(scene[1]["colour"])),
    )[draw.integer(0, 2)]
    prompt = [{"role": "user", "content": ASKED.format(question=question)}]
    return {"prompt": prompt, "scene": scene, "answer": answer}
