"""Questions made of other records."""

from __future__ import annotations

import pytest

from posttrain.records import Demonstration, Pair, Prompt
from posttrain.selection.prompts import asking, extended, hardest, part_of, preceded, preceding, prompts_of
from tests.harness.scripted_session import episode
from tests.harness.scripted_session import prompts as asked

CHAT = ({"role": "system", "content": "be kind"}, {"role": "user", "content": "1+1?"})


def test_each_question_once_with_its_columns():
    made = prompts_of(
        [Pair(1, "q", "a", "b", {"answer": "a"}, "f:1"), Demonstration(2, "q", "c"), Pair(3, CHAT, "a", "b")]
    )
    assert made == [Prompt(1, "q", {"answer": "a"}, "f:1"), Prompt(3, CHAT)]
    own = Prompt(9, "q")
    assert prompts_of([own])[0] is own


def test_rounds_go_through_the_records_and_begin_anew():
    records = [Prompt(i, str(i)) for i in range(5)]
    assert [[r.id for r in part_of(records, n, 2)] for n in range(4)] == [[0, 1], [2, 3], [4, 0], [1, 2]]
    assert part_of(records, 3, None) == part_of(records, 3, 9) == records


def test_text_goes_to_the_end_of_the_last_message():
    assert extended("q", "!") == "q!"
    assert extended(CHAT, "!") == (CHAT[0], {"role": "user", "content": "1+1?!"})
    longer = (*CHAT, {"role": "assistant", "content": "2", "name": "x"})
    assert extended(longer, "!") == (*CHAT, {"role": "assistant", "content": "2!", "name": "x"})


def test_columns_are_filled_in_and_other_braces_stay():
    (made,) = asking([Prompt(4, "q", {"answer": "{x} 7", "level": 3})], " {answer} {other} {} {level}")
    assert made == Prompt(4, "q {x} 7 {other} {} 3", {"answer": "{x} 7", "level": 3})


def test_text_before_a_prompt_begins_the_system_message_of_a_conversation():
    assert preceded("q", "p ") == "p q"
    assert preceded(CHAT, "p ") == ({"role": "system", "content": "p be kind"}, CHAT[1])
    assert preceded(CHAT[1:], "p ") == ({"role": "system", "content": "p "}, CHAT[1])
    assert preceded(CHAT, "") == CHAT
    assert preceded(CHAT[1:], "") == CHAT[1:]
    assert preceding([Prompt(4, "q", {"level": 3})], "p ") == [Prompt(4, "p q", {"level": 3})]


@pytest.mark.paper("shen2025pyh")
def test_the_hardest_of_each_domain_whatever_the_units_of_its_reward():
    records = list(asked("a", "b", "c", "d", "e", domain=["m", "m", "m", "w", "w"]))
    rewards = [1.0, 3.0, 2.0, 70.0, 50.0]
    answers = [episode(p, "", r) for p, r in zip(records, rewards, strict=True)]
    chosen = lambda share, given: [p.prompt for p in hardest(records, given, share, "domain")]  # noqa: E731
    assert chosen(0.3, answers) == ["a", "e"]
    assert chosen(0.5, answers) == ["a", "c", "e"]  # rounded up, in their order
    assert chosen(1.0, answers) == ["a", "b", "c", "d", "e"]
    scaled = [
        episode(p, "", 5 * r - 9 if i < 3 else r / 100) for i, (p, r) in enumerate(zip(records, rewards, strict=True))
    ]
    assert chosen(0.5, scaled) == chosen(0.5, answers)
    assert [p.prompt for p in hardest(records, answers, 0.2, "other")] == ["a"]  # one domain
    again = [*answers, episode(records[0], "", 9.0, sample=1)]  # a mean of 5
    assert chosen(0.3, again) == ["c", "e"]


def test_a_domain_may_be_any_value():
    records = list(asked("a", "b", "c", domain=[["x", 1], ["x", 1], None]))
    answers = [episode(p, "", r) for p, r in zip(records, (2.0, 1.0, 3.0), strict=True)]
    assert [p.prompt for p in hardest(records, answers, 0.5, "domain")] == ["b", "c"]
