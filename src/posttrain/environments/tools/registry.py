"""Small functions to call, and requests in words whose right calls are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from posttrain.data.problem import Draws

CITIES = ("Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Perth")
ITEMS = ("bread", "milk", "rice", "tea", "salt", "soap", "paper", "oil")
Unit = Literal["km", "mile", "kg", "pound"]
FACTORS = {("km", "mile"): 0.621371, ("mile", "km"): 1.609344, ("kg", "pound"): 2.204623, ("pound", "kg"): 0.453592}


def get_weather(city: str, days: int = 1) -> dict[str, Any]:
    """Forecast the weather of a city.

    Args:
        city: name of the city
        days: number of days, today if it is left out
    """
    base = sum(map(ord, city.strip().casefold()))
    return {"city": city, "celsius": [(base * (day + 3)) % 35 for day in range(min(max(days, 0), 14))]}


def add_to_list(item: str, amount: int) -> str:
    """Put something on the shopping list.

    Args:
        item: what to buy
        amount: how many
    """
    return f"{amount} {item} added"


def convert(value: float, source: Unit, target: Unit) -> float:
    """Convert a length or a weight.

    Args:
        value: the number to convert
        source: its unit
        target: the unit that is wanted
    """
    if source == target:
        return value
    if (source, target) not in FACTORS:
        raise ValueError(f"{source} cannot become {target}")
    return round(value * FACTORS[source, target], 3)


def set_timer(minutes: int, label: str = "timer") -> str:
    """Start a timer.

    Args:
        minutes: how long
        label: what it is for
    """
    return f"{label}: {minutes} minutes"


def book_table(city: str, people: int, hour: int, outside: bool = False) -> str:
    """Book a table in a restaurant.

    Args:
        city: name of the city
        people: number of guests
        hour: full hour of the day, 0 to 23
        outside: whether the table is to be outdoors
    """
    return f"a table for {people} in {city} at {hour}{' outside' if outside else ''}"


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function for function in (get_weather, add_to_list, convert, set_timer, book_table)
}


def request(draws: Draws, name: str) -> tuple[str, dict[str, Any]]:
    """Return a request in words for a call of a function, and the call's arguments."""
    city, item, number = draws.choose(CITIES), draws.choose(ITEMS), draws.integer(2, 9)
    hour, outside = draws.integer(17, 22), draws.choose([False, True])
    source, target = draws.choose(sorted(FACTORS))
    words: dict[str, tuple[str, dict[str, Any]]] = {
        "get_weather": (f"tell me the weather in {city} for {number} days", {"city": city, "days": number}),
        "add_to_list": (f"put {number} {item} on my shopping list", {"item": item, "amount": number}),
        "convert": (
            f"convert {number} {source} to {target}",
            {"value": number, "source": source, "target": target},
        ),
        "set_timer": (f"set a timer of {number} minutes for {item}", {"minutes": number, "label": item}),
        "book_table": (
            f"book a table{' outside' if outside else ''} for {number} people in {city} at {hour}:00",
            {"city": city, "people": number, "hour": hour} | ({"outside": True} if outside else {}),
        ),
    }
    return words[name]


def task(draws: Draws, most: int) -> tuple[str, list[str], list[dict[str, Any]]]:
    """Return a request for one to `most` calls, the names of functions to choose from, and the right calls."""
    names = sorted(FUNCTIONS)
    offered = [names.pop(draws.integer(0, len(names) - 1)) for _ in range(draws.integer(max(2, most), 4))]
    wanted: Sequence[str] = offered[: draws.integer(1, most)]
    said, calls = [], []
    for name in wanted:
        words, arguments = request(draws, name)
        said.append(words)
        calls.append({"name": name, "arguments": arguments})
    text = " and ".join(said)
    return f"{text[0].upper()}{text[1:]}.", sorted(offered), calls
