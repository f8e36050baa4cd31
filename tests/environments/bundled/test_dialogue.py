"""The customer that a script plays."""

from __future__ import annotations

import pytest

from posttrain.environments.bundled.dialogue import SHOPS, Dialogue
from posttrain.environments.environment import Action
from posttrain.errors import DataError
from tests.environments.playing import Played, keeps_the_rules, play, prompt_of

DETAILS = {"size": "large", "topping": "onion", "time": "six"}
TASK = {"prompt": "Sell.", "details": DETAILS}


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(Dialogue)


def said(world: Dialogue, *texts: str, seed: int = 0) -> list[str]:
    texts = iter(texts)
    played = play(world, TASK, lambda _: next(texts), turns=4, seed=seed)
    return [o.messages[0]["content"] for o in played.outcomes]


def test_two_questions_are_answered_at_a_time() -> None:
    assert said(
        Dialogue(), "Size?", "What topping, what TIME, which size?", "So timely, sizes.", "<think>size</think>"
    ) == [
        "size: large.",
        "size: large. topping: onion.",
        "I do not know what you would like to hear.",
        "I do not know what you would like to hear.",
    ]


@pytest.mark.parametrize(
    ("order", "all_right", "share"),
    [
        ("ORDER: size=large, topping=onion, time=six", 1, 1),
        ("Very well!\norder: Time = Six; size=LARGE; topping=onion.", 1, 1),
        ("ORDER: size=large, topping=onion", 0, 2 / 3),
        ("ORDER: size=large, topping=onion, time=six, time=noon, size=small, size=large", 0, 2 / 6),
        ("ORDER: size=large or small, topping=onion, time=six", 0, 2 / 3),
        ("ORDER:", 0, 0),
        ("My order: size=large, topping=onion, time=six", None, None),
    ],
)
def test_what_an_order_is_worth(order: str, all_right: float | None, share: float | None) -> None:
    for kind, score in ((Dialogue(), all_right), (Dialogue(share=True), share)):
        world = kind
        world.reset(prompt_of(TASK), 0)
        outcome = world.step(Action(order, order))
        assert outcome.done == (score is not None)
        assert outcome.reward == pytest.approx(score or 0.0)


def clerk(played: Played) -> str:
    """Ask for everything, and order what was said last."""
    heard = [o.messages[0]["content"] for o in played.outcomes]
    known = {}
    for text in heard:
        parts = [part.strip(" .").split(": ") for part in text.replace("And I have changed my mind,", "").split(".")]
        known |= {pair[0]: pair[1] for pair in parts if len(pair) == 2}
    rules = played.begin[0]["content"]
    names = next(list(shop) for shop in SHOPS.values() if f"Ask for {', '.join(shop)}." in rules)
    missing = [name for name in names if name not in known]
    if missing or len(heard) < 4:
        return f"Please tell me: {' '.join((missing or names)[:2])}"
    return "ORDER: " + ", ".join(f"{name}={value}" for name, value in known.items())


def test_a_good_clerk_gets_every_order_right_even_if_minds_change() -> None:
    for seed, task in enumerate(Dialogue.tasks(30, 1)):
        assert play(Dialogue(changes=1.0), task, clerk, seed=seed).reward == 1.0


def test_a_changed_mind_is_said_once_and_counts() -> None:
    texts = said(Dialogue(changes=1.0), "size and topping", "time", "time", "size and topping", seed=3)
    assert sum("changed my mind" in text for text in texts) == 1
    assert "changed" not in texts[0]
    world = Dialogue(changes=1.0)
    world.reset(prompt_of(TASK), 3)
    assert world.details == DETAILS
    world.told = set(DETAILS)
    world.reply("")
    assert sum(world.details[name] != DETAILS[name] for name in DETAILS) == 1


def test_the_customer_leaves() -> None:
    played = play(Dialogue(patience=3), TASK, lambda _: "size?")
    assert (len(played.outcomes), played.reward, played.outcomes[-1].info) == (3, 0.0, {"right": 0})


def test_a_prompt_without_details_is_an_error() -> None:
    with pytest.raises(DataError, match="the column details must map"):
        Dialogue().reset(prompt_of({"prompt": "Sell."}), 0)
