"""Boosting Theory-of-Mind Performance in Large Language Models via Prompting (Moghaddam and Honey, 2023).

Somebody puts a thing somewhere; somebody else moves it, unseen (a false belief) or seen (the control, which needs no
theory of mind). Where will the first look? Each story also comes with its two places exchanged, so that its words in
any order tell nothing. Four ways of asking: alone, step by step, behind two worked examples, and both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from posttrain.data.problem import Draws
from posttrain.evaluation.suite import Contrast, Item, Suite, user
from posttrain.records import Prompt, Turns

PEOPLE = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry")
THINGS = ("ball", "key", "book", "cake", "letter", "scarf")
PLACES = ("basket", "box", "drawer", "cupboard", "bag", "bucket", "chest", "jar")
WAYS = ("alone", "steps", "shots", "shots_steps")
STEPS = "Let's think step by step."
EXAMPLES = (
    "Q: Ida puts the coin in the tin. Ida leaves the room. Karl moves the coin to the purse. Ida comes "
    "back. Where will Ida look for the coin first?\nA: Ida put the coin in the tin. She was away when it was moved, so "
    "she does not know. She believes that it is in the tin. Answer: tin\n\n"
    "Q: Ida puts the coin in the tin. Ida stays and watches. Karl moves the coin to the purse. Where will "
    "Ida look for the coin first?\nA: Ida put the coin in the tin. She saw how Karl moved it to the purse, so she "
    "knows it. Answer: purse\n\n"
)


@dataclass(frozen=True)
class Event:
    """What happens: somebody `puts` or `moves` the thing to a place, `leaves`, `watches` or `returns`."""

    who: str
    what: str
    place: str = ""


def false_belief(*, stories: int = 16, seed: int = 0, max_tokens: int = 96) -> Suite:
    """Build the suite: each story as false belief and as control, in both orders of its places, asked in four ways.

    Settings:
        stories: number of stories; at least 1, 16 as in the paper.
        seed: whole number that draws people, things and places; any.
        max_tokens: longest answer in tokens; at least 1, thoughts take 50 to 100.
    """
    prompts = []
    for k in range(stories):
        draw = Draws("false belief", seed, k)
        who, other = two(draw, PEOPLE)
        thing, places = draw.choose(THINGS), two(draw, PLACES)
        for order, (first, second) in enumerate((places, places[::-1])):
            for kind in ("false", "true"):
                events = story(who, other, first, second, seen=kind == "true")
                columns = {"kind": kind, "item": f"{k}/{order}/{kind}", "answer": belief(events, who)}
                text = told(events, thing)
                prompts += [Prompt(0, user(text), {**columns, "way": way, "cell": f"{kind}/{way}"}) for way in WAYS]
    contrasts = [Contrast(f"{kind}/{w}", "cell", f"{kind}/{w}", f"{kind}/alone") for kind in KINDS for w in WAYS[1:]]
    return Suite(
        [Prompt(i, p.prompt, p.columns) for i, p in enumerate(prompts)],
        {"accuracy": right},
        extract=last_place,
        ask=asked,
        max_tokens=max_tokens,
        groups=("kind", "cell"),
        contrasts=tuple(contrasts),
    )


KINDS = ("false", "true")


def two(draw: Draws, of: tuple[str, ...]) -> tuple[str, str]:
    """Draw two that differ."""
    first = draw.choose(of)
    return first, draw.choose([x for x in of if x != first])


def story(who: str, other: str, first: str, second: str, *, seen: bool) -> list[Event]:
    """Return what happens: the thing is put in the first place and moved to the second, seen or not."""
    put, move = Event(who, "puts", first), Event(other, "moves", second)
    return [put, Event(who, "watches"), move] if seen else [put, Event(who, "leaves"), move, Event(who, "returns")]


def belief(events: list[Event], who: str) -> str:
    """Follow the events with the eyes of one person: where they believe that the thing is."""
    there, believed = True, ""
    for event in events:
        if event.who == who and event.what in ("leaves", "returns"):
            there = event.what == "returns"
        elif event.place and there:
            believed = event.place
    return believed


def told(events: list[Event], thing: str) -> str:
    """Tell the story, and ask where the first person will look."""
    forms = {
        "puts": "{who} puts the {thing} in the {place}.",
        "moves": "{who} moves the {thing} to the {place}.",
        "leaves": "{who} leaves the room.",
        "watches": "{who} stays and watches.",
        "returns": "{who} comes back.",
    }
    sentences = [forms[e.what].format(who=e.who, thing=thing, place=e.place) for e in events]
    return f"{' '.join(sentences)} Where will {events[0].who} look for the {thing} first?"


def asked(prompt: Prompt) -> Turns:
    """Ask in the way of the question's column."""
    way, text = prompt.columns["way"], prompt.prompt[0]["content"]  # type: ignore[index]
    before = EXAMPLES if "shots" in way else ""
    return user(f"{before}Q: {text}\nA:" + (f" {STEPS}" if "steps" in way else ""))


def last_place(text: str) -> str | None:
    """Read the place behind "Answer:", else the last that is named, before a question that the model makes up."""
    own = text.split("\nQ:")[0].lower()
    marked = re.search(rf"answer:\W*(?:in )?(?:the )?({'|'.join(PLACES)})\b", own)
    named = re.findall(rf"\b({'|'.join(PLACES)})\b", own)
    return marked[1] if marked else named[-1] if named else None


def right(item: Item) -> float:
    """Give 1 to the place where the person believes that the thing is."""
    return float(item.answer == item["answer"])
