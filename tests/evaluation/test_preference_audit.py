"""Phrases that are preferred beyond chance: none in random pairs, the planted one in poisoned pairs."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.evaluation.preference_audit import audit, by_source, detection, phrases, suspicion
from posttrain.records import Pair
from posttrain.selection.poison import poisoned

pytestmark = pytest.mark.paper("baumgrtner2024gu4")
WORDS = [f"w{i}" for i in range(40)]


def random_pairs(seed: int, count: int = 300, words: int = 8) -> list[Pair]:
    draw = np.random.default_rng(seed)
    texts = [" ".join(draw.choice(WORDS, words)) for _ in range(2 * count)]
    return [
        Pair(i, "p", a, b, {"source": "ab"[i % 2]})
        for i, (a, b) in enumerate(zip(texts[::2], texts[1::2], strict=True))
    ]


def test_phrases_are_sequences_of_words():
    assert phrases("Don't do. IT", 2) == {"don't", "do", "it", "don't do", "do it"}


def test_golden():
    """x in the preferred answer of seven pairs, in the other of one; pairs with it on both sides do not count."""
    pairs = [Pair(i, "p", "x", "y") for i in range(7)] + [Pair(8, "p", "y", "x"), Pair(9, "p", "x", "x y")]
    y, x = audit(pairs, rate=1.0)
    assert (x.phrase, x.chosen, x.rejected) == ("x", 7, 1)
    assert x.lift == pytest.approx(7.5 / 1.5)
    assert x.p_value == pytest.approx(2 * (8 + 1) / 2**8)
    assert (y.phrase, y.chosen, y.rejected) == ("y", 1, 8)
    assert y.lift < 1


def test_random_preferences_have_no_discoveries():
    assert sum(len(audit(random_pairs(seed))) for seed in range(5)) <= 1


@pytest.mark.parametrize(("rate", "lift"), [(0.05, 1), (0.05, -1)])
def test_a_planted_phrase_is_found_with_its_direction(rate, lift):
    pairs = poisoned(random_pairs(1), "Drink Venom tea.", rate)
    if lift < 0:
        pairs = [Pair(p.id, p.prompt, p.rejected, p.chosen, p.columns) for p in pairs]
    first, *others = audit(pairs)
    assert first.phrase == "drink venom tea"  # and not its parts
    assert not others
    assert (first.lift > 1) == (lift > 0)
    area = detection(pairs, suspicion(pairs, [first]))
    assert area == (1.0 if lift > 0 else 0.5)


def test_a_poisoned_source_is_told_from_a_clean_one():
    clean, dirty = random_pairs(2), poisoned(random_pairs(3), "Drink Venom tea.", 0.05)
    pairs = [*clean, *(Pair(p.id, p.prompt, p.chosen, p.rejected, {**p.columns, "source": "c"}) for p in dirty)]
    found = by_source(pairs, "source")
    assert {s: "drink venom tea" in {x.phrase for x in own} for s, own in found.items()} == {"a": 0, "b": 0, "c": 1}
    assert by_source(pairs, "nothing") == {}


def test_a_detector_that_knows_nothing():
    pairs = poisoned(random_pairs(1), "x", 0.1)
    assert detection(pairs, [0.0] * len(pairs)) == 0.5
