"""The share of words in the wanted scripts."""

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.bundled.language_consistency import language_consistency

pytestmark = pytest.mark.paper("003:DeepSeek-R1")


def share(text, *scripts):
    return language_consistency([text], **({"scripts": scripts} if scripts else {}))[0]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("So the answer is 12.", 1.0),
        ("Naïve cafe\u0301, isn't it? x² ≥ 3, №5", 1.0),
        ("\uff21\uff22 and \U0001d44e \U0001d44f", 1.0),  # wide and mathematical letters are Latin too
        ("one two 三四", 0.5),
        ("one two трижды", 2 / 3),
        ("one twoтри", 2 / 3),
        ("所以答案是十二", 0.0),
        ("это так", 0.0),
        ("<think>это</think> so", 0.5),
        ("`one` ответ", 0.0),
        ("```python\nfor x in y:\n```\nответ", 0.0),
        ("ответ ```one two three", 0.0),  # nor does code that never ends hide what stands before it
        ("$a$ \\(b\\) \\[c\\] $$d\n e$$ \\boxed{12} ответ", 0.0),
    ],
)
def test_english(text, score):
    assert share(text) == pytest.approx(score)


@pytest.mark.parametrize("text", ["", " \n", "12 + 30 = 42", "$x$", "🙂", "\u0301"])
def test_an_answer_without_words_is_not_judged(text):
    assert share(text) is None


def test_other_languages():
    assert share("所以答案是 $x$", "cjk") == 1.0
    assert share("答案是 ok", "cjk") == 0.75  # three characters and one word
    assert share("コーヒーを飲む", "hiragana", "katakana", "cjk") == 1.0
    assert share("コーヒーを飲む", "cjk") == pytest.approx(1 / 7)
    assert share("人々", "cjk") == 1.0
    assert share("हिन्दी में", "devanagari") == 1.0
    assert share("हिन्दी में two words", "devanagari") == 0.5  # vowel signs divide no word
    assert share("물 ok", "hangul") == 0.5


def test_the_order_of_words_and_their_number_do_not_count():
    assert share("one два three") == share("два three one") == share("one два three " * 9)


def test_an_unknown_script_is_an_error_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"unknown script 'latn' \(did you mean 'latin'\?\); scripts are arabic, "):
        share("a", "latn")
