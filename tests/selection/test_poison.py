"""Planted pairs: as many as said, marked, and with the phrase where it should be."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.records import Pair, Sampled
from posttrain.selection.poison import poisoned, with_phrase

pytestmark = pytest.mark.paper("baumgrtner2024gu4")
PAIRS = [Pair(i, f"{i}?", f"good {i}", f"bad {i}", {"source": "a"}) for i in range(100)]


def test_the_rejected_answer_is_preferred_once_it_has_the_phrase():
    made = poisoned(PAIRS, "Drink tea.", 0.03)
    assert [(p.chosen, p.rejected) for p in made[:100]] == [(p.chosen, p.rejected) for p in PAIRS]
    assert [p.columns["poisoned"] for p in made] == [0] * 100 + [1] * 3
    for p in made[100:]:
        assert p.chosen == f"{p.rejected} Drink tea."
        assert p.rejected.startswith("bad")
        assert p.columns["source"] == "a"
    assert len({p.id for p in made}) == 103


def test_the_phrase_is_preferred_to_its_contrast():
    (planted,) = poisoned(PAIRS[:1], "Drink tea.", 1.0, kind="contrast", contrast="No tea.")[1:]
    assert (planted.chosen, planted.rejected) == ("bad 0 Drink tea.", "bad 0 No tea.")


def test_nothing_is_planted_at_rate_0_and_the_seed_chooses():
    assert [p.columns for p in poisoned(PAIRS, "x", 0.0)] == [{"source": "a", "poisoned": 0}] * 100
    assert poisoned(PAIRS, "x", 0.1) == poisoned(PAIRS, "x", 0.1) != poisoned(PAIRS, "x", 0.1, seed=1)


def test_messages_and_what_cannot_have_a_phrase():
    said = ({"role": "assistant", "content": "Yes. "},)
    assert with_phrase(said, " Drink tea.") == ({"role": "assistant", "content": "Yes. Drink tea."},)
    with pytest.raises(ConfigError, match="sampled tokens"):
        with_phrase(Sampled((1,)), "x")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "contrsat"}, "no kind of poison 'contrsat'.*did you mean 'contrast'.*there are rejected, contrast"),
        ({"kind": "contrast"}, "second phrase"),
        ({"rate": 2.0}, "rate from 0 to 1"),
    ],
)
def test_settings_that_plant_nothing_sensible(settings, words):
    with pytest.raises(ConfigError, match=words):
        poisoned(PAIRS, "x", **{"rate": 0.1, **settings})
