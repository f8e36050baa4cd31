"""Questions about a world that does not exist, which only its small encyclopedia answers.

Countries have towns, towns have people, people found companies. Each person, town and company has an article of one or
two sentences. Level n asks what stands in the last of n articles, of which each names the next. The world is the same
for all questions; their column `documents` holds the titles of the articles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from posttrain.data.problem import Draws, Problem

LEVELS = (1, 2, 3)
TOWNS, PEOPLE, COMPANIES = 20, 60, 32
_BEGINNINGS = "Al Bor Cen Dra El Fal Gor Hel Is Jor Kal Lun Mar Nor Ost Pel Quil Ros Sel Tor Ul Ver Wes Zan"
_ENDINGS = {"town": "haven burg ford mere stad", "company": "tek works ix ora dyne"}
_COUNTRIES = ("Averland", "Brenova", "Cistria", "Dorland")
_FIRST = "Ada Ben Cleo Dan Eva Finn Gita Hugo Iris Jon Kira Leo Mina Nils Olga Paul"
_LAST = "Aster Brand Corvin Dahl Ekman Falk Grau Holm"
_TRADES = ("chemist", "painter", "sailor", "baker", "pilot", "doctor")
_GOODS = (
    "bicycles clocks lamps pianos tents kettles radios gloves ropes candles kites skis bells mirrors drums chairs "
    "pens carpets flutes boots hats spoons locks sails saws tiles toys umbrellas vases wheels yarns zips"
)


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
    year: Mapping[str, str]
    trade: Mapping[str, str]
    founder: Mapping[str, str]
    seat: Mapping[str, str]
    goods: Mapping[str, str]


Asked = tuple[str, str, Mapping[str, str], str, list[str]]  # question, in short, facts, of whom, the articles before


def make(index: int, seed: int, level: int) -> Problem:
    """Make one problem, a pure function of the arguments. The wrong answer is another of the same kind."""
    w, draw = world(), Draws("encyclopedia", seed, level, index)
    company, person = draw.choose(list(w.founder)), draw.choose(list(w.born))
    question, short, facts, subject, before = draw.choose((_one, _two, _three)[level - 1](w, company, person))
    others = sorted({*facts.values()} - {facts[subject]})
    columns = {"question": question, "documents": [*before, subject]}
    return Problem(question, f"{short}>", facts[subject], draw.choose(others), columns)


def _one(w: World, company: str, person: str) -> list[Asked]:
    return [
        (f"In which year was {person} born?", f"year {person}", w.year, person, []),
        (f"In which town was {person} born?", f"born {person}", w.born, person, []),
        (f"Which trade had {person}?", f"trade {person}", w.trade, person, []),
        (f"In which town is {company}?", f"seat {company}", w.seat, company, []),
        (f"Who founded {company}?", f"founder {company}", w.founder, company, []),
    ]


def _two(w: World, company: str, person: str) -> list[Asked]:
    founder = w.founder[company]
    return [
        (f"In which country was {person} born?", f"country {person}", w.country, w.born[person], [person]),
        (f"In which country is {company}?", f"country {company}", w.country, w.seat[company], [company]),
        (f"In which year was the founder of {company} born?", f"year {company}", w.year, founder, [company]),
        (f"Which trade had the founder of {company}?", f"trade {company}", w.trade, founder, [company]),
    ]


def _three(w: World, company: str, person: str) -> list[Asked]:  # noqa: ARG001 -- as the other levels
    founder, goods = w.founder[company], w.goods[company]
    named = ((company, company), (f"the company that makes {goods}", goods))
    rest = (w.country, w.born[founder], [company, founder])
    return [(f"In which country was the founder of {what} born?", f"country {short}", *rest) for what, short in named]


@cache
def world() -> World:
    """Draw the facts."""
    draw = Draws("encyclopedia", "world")
    towns, companies = _names(draw, "town", TOWNS), _names(draw, "company", COMPANIES)
    first, last = _FIRST.split(), _LAST.split()
    people = [f"{first[i % len(first)]} {last[(i + i // len(first)) % len(last)]}" for i in range(PEOPLE)]
    return World(
        country={town: draw.choose(_COUNTRIES) for town in towns},
        born={person: draw.choose(towns) for person in people},
        year={person: str(draw.integer(1850, 1950)) for person in people},
        trade={person: draw.choose(_TRADES) for person in people},
        founder={company: draw.choose(people) for company in companies},
        seat={company: draw.choose(towns) for company in companies},
        goods=dict(zip(companies, _GOODS.split(), strict=True)),
    )


@cache
def passages() -> tuple[Passage, ...]:
    """Write the articles."""
    w = world()
    towns = [Passage(t, f"{t} is a town in {c}. It lies on a river and has a market.") for t, c in w.country.items()]
    people = [Passage(p, f"{p}, {w.trade[p]}, was born in {t} in {w.year[p]}.") for p, t in w.born.items()]
    companies = [
        Passage(c, f"{c} is a company in {w.seat[c]} that makes {w.goods[c]}. It was founded by {p}.")
        for c, p in w.founder.items()
    ]
    return (*towns, *people, *companies)


def _names(draw: Draws, kind: str, count: int) -> list[str]:
    """Draw names that differ."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[draw.choose(_BEGINNINGS.split()) + draw.choose(_ENDINGS[kind].split())] = None
    return list(names)
