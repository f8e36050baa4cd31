import pytest

from posttrain.search.prompts.aspects import ASPECTS, chosen, reward, scores

pytestmark = pytest.mark.paper("singla2024dom")


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("Clarity, Depth", ("clarity", "depth")),
        ("1. clarity\n2) wit\n- depth.", ("clarity", "wit", "depth")),
        ("clarity, clarity", ("clarity", "helpfulness")),
        ("a, b, c, d, e, f", ("a", "b", "c", "d", "e")),
        ("I would say that it depends on many things", ("helpfulness", "clarity")),
        ("", ("helpfulness", "clarity")),
    ],
)
def test_two_to_five_aspects_known_or_new(reply, found):
    assert chosen(reply, ASPECTS, 2, 5) == found


def test_fourteen_to_choose_from():
    assert len(set(ASPECTS)) == 14


def test_scores_are_read_by_their_names():
    reply = "**Clarity**: 4\n- depth: 5 (very)\nwit: 9\nother: 1\nclarity: 3"
    assert scores(reply, ("clarity", "depth", "wit", "respect")) == {"clarity": 3.0, "depth": 5.0}
    assert scores("no idea", ("clarity",)) == {}
    assert scores("clarity: 0\ndepth: 1", ("clarity", "depth")) == {"depth": 1.0}
    assert scores("clarity: -3\ndepth: 4.5", ("clarity", "depth")) == {"depth": 4.5}
    assert scores("clarity:\n2. depth: 4", ("clarity",)) == {}  # the number of the next line is no score


def test_what_cannot_be_read_is_no_reward():
    assert reward({"clarity": 3.0, "depth": 5.0}) == 4.0
    assert reward({}) is None
