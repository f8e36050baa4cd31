"""A small encyclopedia of a world that does not exist, and questions that only it answers.

Countries have towns, towns have people, people found companies. Each person, town and company has an article of two or
three sentences. Questions need one to three of the articles, and name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from posttrain.data.problem import Draws

TOWNS, PEOPLE, COMPANIES = 12, 24, 16
_BEGINNINGS = "Al Bor Cen Dra El Fal Gor Hel Is Jor Kal Lun Mar Nor Ost Pel Quil Ros Sel Tor Ul Ver Wes Zan"
_COUNTRIES = ("Averland", "Brenova", "Cistria", "Dorland")
_ENDINGS = {"town": "haven burg ford mere stad", "company": "tek works ix ora dyne"}
_FIRST = "Ada Ben Cleo Dan Eva Finn Gita Hugo Iris Jon Kira Leo Mina Nils Olga Paul"
_LAST = "Aster Brand Corvin Dahl Ekman Falk Grau Holm"
_TRADES = ("chemist", "painter", "sailor", "baker", "pilot", "doctor")
_GOODS = "bicycles clocks lamps pianos tents kettles radios gloves ropes candles kites skis bells mirrors drums chairs"


@dataclass(frozen=True)
class Passage:
    """A text that can be found, and its title."""

    title: str
    text: str


@dataclass(frozen=True)
class World:
    """The facts: where each town lies, where and when each person was born, who founded what and where."""

    country: Mapping[str, str]
    born: Mapping[str, str]
    year: Mapping[str, int]
    trade: Mapping[str, str]
    founder: Mapping[str, str]
    seat: Mapping[str, str]
    goods: Mapping[str, str]


@cache
def world(seed: int = 0) -> World:
    """Draw the facts."""
    draw = Draws("encyclopedia", seed)
    towns = _names(draw, "town", TOWNS)
    first, last = _FIRST.split(), _LAST.split()
    people = [f"{first[i % len(first)]} {last[(i + i // len(first)) % len(last)]}" for i in range(PEOPLE)]
    companies = _names(draw, "company", COMPANIES)
    return World(
        country={town: draw.choose(_COUNTRIES) for town in towns},
        born={person: draw.choose(towns) for person in people},
        year={person: draw.integer(1850, 1950) for person in people},
        trade={person: draw.choose(_TRADES) for person in people},
        founder={company: draw.choose(people) for company in companies},
        seat={company: draw.choose(towns) for company in companies},
        goods=dict(zip(companies, _GOODS.split(), strict=True)),
    )


@cache
def passages(seed: int = 0) -> tuple[Passage, ...]:
    """Write the articles."""
    w = world(seed)
    towns = [Passage(t, f"{t} is a town in {c}. It lies on a river and has a market.") for t, c in w.country.items()]
    people = [Passage(p, f"{p}, {w.trade[p]}, was born in {t} in {w.year[p]}.") for p, t in w.born.items()]
    companies = [
        Passage(c, f"{c} is a company in {w.seat[c]} that makes {w.goods[c]}. It was founded by {p}.")
        for c, p in w.founder.items()
    ]
    return (*towns, *people, *companies)


def question(index: int, seed: int, world_seed: int = 0) -> Mapping[str, Any]:
    """Ask for something: the columns `question`, `answer` and `documents` (the titles that one must read)."""
    w, draw = world(world_seed), Draws("encyclopedia", "question", seed, index)
    company, person = draw.choose(list(w.founder)), draw.choose(list(w.born))
    founder = w.founder[company]
    towns = w.born[founder], w.born[person]
    text, answer, documents = draw.choose(
        [
            (f"In which year was {person} born?", w.year[person], [person]),
            (f"In which country was {person} born?", w.country[towns[1]], [person, towns[1]]),
            (f"In which town was the founder of {company} born?", towns[0], [company, founder]),
            (
                f"Which trade had the founder of the company that makes {w.goods[company]}?",
                w.trade[founder],
                [company, founder],
            ),
            (f"In which country was the founder of {company} born?", w.country[towns[0]], [company, founder, towns[0]]),
            (
                f"In which country is the company that makes {w.goods[company]}?",
                w.country[w.seat[company]],
                [company, w.seat[company]],
            ),
        ]
    )
    return {"question": text, "answer": str(answer), "documents": documents}


def _names(draw: Draws, kind: str, count: int) -> list[str]:
    """Draw names that differ."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[draw.choose(_BEGINNINGS.split()) + draw.choose(_ENDINGS[kind].split())] = None
    return list(names)
