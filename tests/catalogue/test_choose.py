"""Methods by what a user has."""

import re
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.choose import chosen
from posttrain.errors import ConfigError


def found(words="", data=(), needs=(), among=("imitation/sft", "preference/dpo", "preference/kto", "online/ppo")):
    entries = [catalogue.entry(path) for path in (*among, "rounds/sdpo")]
    return {e.path for e in chosen(entries, data, needs, words.split())}


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("I have pairs", {"preference/dpo", "rounds/sdpo"}),
        ("thumbs", {"preference/kto"}),
        ("demonstrations", {"imitation/sft"}),
        ("prompts with a critic", {"online/ppo"}),
        ("schulman", {"online/ppo"}),
        ("", {"imitation/sft", "preference/dpo", "preference/kto", "online/ppo", "rounds/sdpo"}),
    ],
)
def test_words_name_data_or_stand_in_the_text(words, paths):
    assert found(words) == paths


def test_by_kind_and_by_models():
    assert found(data=["ratings"]) == {"preference/kto"}
    assert found(data=["ratings", "demonstrations"]) == {"preference/kto", "imitation/sft"}
    assert found(needs=["reference"]) == {"preference/dpo", "preference/kto", "online/ppo"}
    assert found(needs=["reward", "reference"]) == {"online/ppo"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": ["pears"]}, "did you mean 'pairs'"),
        ({"needs": ["critics"]}, "did you mean 'critic'"),
        ({"words": "unicorns"}, "no method or procedure fits 'unicorns'"),
        ({"data": ["ratings"], "needs": ["critic"]}, "leave something out"),
    ],
)
def test_what_fits_nothing_is_an_error(given, message):
    with pytest.raises(ConfigError, match=message):
        found(**given)


def test_the_page_names_methods_that_exist():
    text = Path("docs/choose.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:procedure: )?([a-z]+/[a-z_]+)`", text)
    assert len(named) > 15
    assert set(named) <= {*catalogue.paths(), *catalogue.procedures()}
