"""Final answers: what is right, what is nearly right, and what tries to be everything at once."""

from __future__ import annotations

import pytest

from posttrain.environments.answers import right


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("Norhaven", "norhaven"),
        ("I have found it.\nThe town of Norhaven.", "town of Norhaven"),
        ("The answer is \\boxed{Norhaven}", "Norhaven"),
        ("<think>Sorhaven?</think>\nNorhaven.", "Norhaven"),
        ("So the answer is 1,234.", 1234),
        ("12.0", "12"),
        ("-7", -7),
        ("New York", ["NYC", "New York"]),
    ],
)
def test_right(text: str, gold: object) -> None:
    assert right(text, gold)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("", "Norhaven"),
        ("", ""),
        ("the", "a"),
        ("Norhaven or Sorhaven", "Norhaven"),
        ("Norhaven\nSorhaven", "Norhaven"),
        ("It is\nNorhaven\nor Sorhaven", "Norhaven"),
        ("<think>Norhaven</think>", "Norhaven"),
        ("7", -7),
        ("1.5", 15),
        ("The answer is 12 or 13", "12"),
        ("12 million", "12"),
    ],
)
def test_wrong(text: str, gold: object) -> None:
    assert not right(text, gold)
