"""The bundled rewards. Near misses score 0."""

import json
import threading
import time

import pytest

from posttrain.errors import ConfigError, MissingExtraError
from posttrain.rewards.bundled.exact_match import exact_match
from posttrain.rewards.bundled.length import length
from posttrain.rewards.bundled.math_answer import math_answer
from posttrain.rewards.bundled.regex_format import regex_format
from posttrain.rewards.final_answer import final


@pytest.mark.parametrize(
    ("completion", "answer", "score"),
    [
        ("yes", "yes", 1.0),
        (" yes\n", "yes ", 1.0),
        ("Yes", "yes", 0.0),
        ("yes.", "yes", 0.0),
        ("yes yes", "yes", 0.0),
        ("", "yes", 0.0),
        ("", "", 1.0),
        ("12", 12, 1.0),
        ("12.0", 12, 0.0),
        ("0.5", 0.5, 1.0),
        ("anything", None, None),
    ],
)
def test_exact_match(completion, answer, score):
    assert exact_match(["q"], [completion], [answer]) == [score]


@pytest.mark.parametrize("answer", [True, ["yes"], {"text": "yes"}], ids=repr)
def test_exact_match_refuses_answers_that_are_no_text(answer):
    with pytest.raises(TypeError, match="exact_match compares"):
        exact_match(["q"], ["yes"], [answer])


GOLD = "The answer is \\boxed{42}.\n#### 42"
CHEATS = [
    "",
    "None",
    "{answer}",
    "{gold}",
    "answer",
    "gold",
    "<answer>correct</answer>",
    "passed",
    '{"score": 1.0}',
    "[1.0]",
    "reward: 1.0",
    "nan",
    "inf",
    "\\boxed{}",
    "\\boxed{answer}",
    "\\boxed{x}",
    "\\boxed{41 \\text{ or } 42}",
    "\\boxed{41, 42, 43}",
    "\\boxed{\\text{any number}}",
    "\\boxed{41 \\leq x \\leq 43}",
    "\\boxed{42 = 43}",
    "\\boxed{43} \\boxed{42 \\text{ or } 43}",
    "The answer is one of " + ", ".join(map(str, range(1, 100))),
    "__import__('os')._exit(0)",
    "type('', (), {'__eq__': lambda *_: True})()",
    "import sys; sys.exit(0)",
]


@pytest.mark.fault("R10")
@pytest.mark.parametrize("completion", CHEATS)
@pytest.mark.parametrize("gold", ["42", 42, GOLD])
def test_no_completion_is_right_without_the_answer(completion, gold):
    assert grade(completion, gold) == 0.0
    assert exact_match(["q"], [completion], [str(gold)]) == [0.0]


@pytest.mark.fault("R10")
@pytest.mark.parametrize("gold", ["42", GOLD])
def test_repeating_the_question_is_no_answer(gold):
    """A question may name the answer's form, or even the answer: only what the model itself concludes counts."""
    question = "What is 6 * 7? End with \\boxed{ANSWER} or #### ANSWER, such as \\boxed{12}."
    assert math_answer([question], [question], [gold]) == [0.0]
    assert exact_match([question], [question], [gold]) == [0.0]


@pytest.mark.paper("002:o1")
@pytest.mark.parametrize(
    ("completion", "score"),
    [
        ("<think>a\nb</think>\n<answer>c</answer>", 1.0),
        ("<think>a</think><answer></answer>", 1.0),
        ("x<think>a</think><answer>c</answer>", 0.0),
        ("<think>a</think><answer>c</answer> ", 0.0),
        ("<think>a</think><answer>c", 0.0),
        ("", 0.0),
    ],
)
def test_regex_format_matches_all_of_the_completion(completion, score):
    pattern = r"<think>.*</think>\s*<answer>.*</answer>"
    assert regex_format(["q"], [completion], pattern=pattern) == [score]


def test_a_pattern_that_is_none_is_an_error_of_the_setup():
    with pytest.raises(ConfigError, match=r"pattern '\(' is no regular expression"):
        regex_format(["q"], ["a"], pattern="(")


def grade(completion, answer):
    return math_answer(["q"], [completion], [answer])[0]


NUMBERS = {
    "12": """12 | 12. | 12.0 | 12.00 | 012 | +12 | $12 | $12.00 | \\$12 | 12% | 12... | (12) | **12** | 12?
        I get 12, so done | a + b = 12 | 5 + 7 = 12 apples | 5+7=12 | x = 12 | answer = 12 | #### 12
        The answer is 12. I hope it is right. 13 | The final answer is: $12$. | **Answer:** 12 | Answer: **12**
        answer is 12 apples | answer is \\(12\\) | 3 #### 12 | \\boxed{12} | \\boxed{1} and \\boxed{12}
        $\\boxed{12}$. | \\boxed{\\boxed{12}} | \\boxed{x=12} | \\boxed{12\\text{ cm}} | \\boxed{12\\text{ cm}^2}
        \\boxed{12^\\circ} | \\boxed{12\\%} | \\boxed{24/2} | \\boxed{\\frac{24}{2}} | \\boxed{\\sqrt{144}}
        \\boxed{1.2\\times10^1} | \\fbox{12}""",
    "1000": "1000 | 1,000 | $1,000.00 | \\boxed{1{,}000} | \\boxed{1\\,000} | \\boxed{1,\\!000} | \\boxed{10^3}",
    "-3": "-3 | −3 | x = -3 | x=-3 | \\boxed{-3} | \\boxed{- 3} | -3.0",
    "0.5": "0.5 | .5 | 0.50 | \\boxed{1/2} | \\boxed{\\frac12}",
}
NEAR_MISSES = {
    "12": """-12 | 12.01 | 12.000001 | 120 | 1,2 | 12,000 | 12,5 | 12.0.0 | 1e1 | 12:00 | 12-13 | 12th | x12 | 3/12
        12/3 | 12! | 5 + 12 | 12 - 5 | 5 -12 | x > 12 | 11 or 12 | not 12 | more than 12 | 12 million | 12 dozen
        12 half | - 12 | １２ | 12 apples in 3 boxes | no idea | twelve | answer is not 12 | answer is 12 or 13
        answer is 12 and 13 | answer is about 12 | answer is 12 million | answer is 12x | answer is 12 pi
        answer is twelve | \\boxed{12}\\boxed{1} | \\boxed{12 | \\boxed{} | \\boxed{12x} | \\boxed{12 i} | \\boxed{12!}
        \\boxed{１２} | \\boxed{1_2} | \\boxed{1 2} | \\boxed{12,5} | \\boxed{12, 12} | \\boxed{x = 12, y = 5}
        \\boxed{x = 5, y = 12} | \\boxed{>12} | \\boxed{12 \\pm 1} | \\boxed{\\approx 12} | \\boxed{0xC}
        \\boxed{1.2e1} | \\boxed{12 \\text{ or } 13} | \\boxed{12 \\text{ thousand}}
        \\boxed{\\text{at most } 12} | #### 13 (or 12)
        \\boxed{13} The answer is 12""",
    "13": "12 or 13 | \\boxed{12 or 13} | \\boxed{1_3} | \\boxed{1 3}",
    "3": "\\boxed{1 2} | \\boxed{1+1} | \\boxed{\\frac{6}{3}}",
    "1000": """1_000 | \\boxed{1_000} | 1 000 | \\boxed{1 000} | 1,00,0 | 1,0000 | 1.000 | 1k | one thousand
        \\boxed{1e3}""",
    "10": "\\boxed{10_2} | \\boxed{1010_2}",
    "-3": "3 | 5 -3 | 5 - 3 | \\boxed{3} | \\boxed{5-3}",
    "0.5": "0.51 | 1/2 | \\boxed{50\\%} | \\boxed{0.5000000001} | \\boxed{5}",
}


def cases(table):
    return [
        (completion.strip(), gold)
        for gold, completions in table.items()
        for line in completions.splitlines()
        for completion in line.split(" | ")
    ]


@pytest.mark.paper("002:o1", "fu2023pyr")
@pytest.mark.parametrize(("completion", "gold"), cases(NUMBERS))
def test_right_numbers(completion, gold):
    assert grade(completion, gold) == 1.0


@pytest.mark.fault("R9")
@pytest.mark.parametrize(("completion", "gold"), cases(NEAR_MISSES))
def test_near_misses_of_numbers_score_nothing(completion, gold):
    assert grade(completion, gold) == 0.0


@pytest.mark.parametrize(
    ("gold", "right", "wrong"),
    [
        (
            r"\frac{1}{2}",
            [r"\boxed{0.5}", r"\boxed{\dfrac12}", r"$\frac13$, so $\frac12$", "1/2", r"\boxed{\frac12\text{ inches}}"],
            [r"\boxed{0.51}", r"\boxed{-\frac12}", r"\boxed{\frac12 x}", r"\boxed{\frac12\text{ million}}"],
        ),
        ("x+1", [r"\boxed{1+x}", r"\boxed{x+1}"], [r"\boxed{x-1}", r"\boxed{x+1+y}", "the sum is x+1"]),
        ("y = 12", [r"\boxed{y=12}"], [r"\boxed{x=12}"]),
        ("x^2+y^2=12", [r"\boxed{y^2+x^2=12}"], [r"\boxed{12}", r"\boxed{x=12}"]),
        ("(1,2)", [r"\boxed{(1, 2)}"], [r"\boxed{(2,1)}"]),
        (r"\{1,2\}", [r"\boxed{2,1}", r"\boxed{1 \text{ and } 2}"], [r"\boxed{1,2,3}", r"\boxed{1}"]),
        (
            r"\begin{pmatrix}1\\2\end{pmatrix}",
            [r"\boxed{\begin{pmatrix} 1 \\ 2 \end{pmatrix}}"],
            [r"\boxed{\begin{pmatrix}2\\1\end{pmatrix}}"],
        ),
        ("2^{2023}", [r"\boxed{2^{2022}\cdot 2}", r"\boxed{2^{2023}}"], [r"\boxed{2^{2024}}"]),
        ("e^{x^2}", [r"\boxed{e^{x\cdot x}}"], [r"\boxed{e^{x^3}}"]),
        ("A", ["answer is A.", "answer is (A)"], ["answer is B", "answer is A or B", r"\boxed{AB}", "I pick A or so"]),
        (
            "Monday",
            ["answer is Monday.", r"\boxed{\text{monday}}", "Monday"],
            ["answer is Mondya", "not Monday", "answer is Tuesday", r"\boxed{dayMon}"],
        ),
    ],
)
def test_answers_that_are_no_numbers(gold, right, wrong):
    assert [grade(c, gold) for c in right] == [1.0] * len(right)
    assert [grade(c, gold) for c in wrong] == [0.0] * len(wrong)


def test_the_gold_answer_may_be_a_number_or_a_solution():
    assert grade("12", 12) == grade("12", 12.0) == grade("0.0000001", 1e-7) == 1.0
    assert grade("15", "5 * 3 = 15, not 16\n#### 15") == 1.0
    assert grade("16", "5 * 3 = 15, not 16\n#### 15") == 0.0
    assert grade(r"\boxed{7}", r"As $3+4=7$ we get \boxed{7}.") == 1.0


def test_no_gold_answer_abstains_and_an_unusable_one_raises():
    assert math_answer(["q"] * 2, ["12", "12"], [None, "12"]) == [None, 1.0]
    for gold in ("", "  ", True, [12], float("nan")):
        with pytest.raises(ValueError, match="gold answer"):
            grade("12", gold)
    with pytest.raises(ValueError, match="math-verify cannot read the gold answer"):
        grade(r"\boxed{x}", r"\frac{")


@pytest.mark.fault("R9")
@pytest.mark.parametrize(
    "completion",
    [
        "",
        " \n\t",
        "\ud800",
        "x" * 5_000_000,
        "1" * 5_000_000,
        "answer is " * 500_000,
        r"\boxed{" * 500_000,
        r"\boxed{" + "{" * 3000 + "12" + "}" * 3001,
        r"\boxed{" + "(" * 240 + "12" + ")" * 240 + "}",
        r"\boxed{9^{9^{9^9}}}",
        r"\boxed{9^9^9^9}",
        r"\boxed{10^{1000000000}}",
        r"\boxed{10^{10^{10}}}",
        "$" * 100_000,
        "\\" * 100_000,
    ],
    ids=lambda c: c[:20].encode("ascii", "backslashreplace").decode() + f"_{len(c)}",
)
@pytest.mark.parametrize("gold", ["12", r"\frac{1}{2}"])
def test_hostile_completions_score_nothing_in_bounded_time(completion, gold):
    start = time.monotonic()
    assert grade(completion, gold) == 0.0
    assert time.monotonic() - start < 5


def test_what_math_verify_cannot_decide_in_time_is_an_error_and_no_score():
    with pytest.raises(TimeoutError, match="could not compare"):
        grade(r"\boxed{(9)^{(9)^{(9)^{(9)}}}}", r"\frac{1}{2}")


def test_beside_the_main_thread_math_verify_refuses_and_nothing_is_scored():
    results = []

    def work():
        try:
            results.append(grade(r"\boxed{\frac12}", "0.5"))
        except ValueError as error:
            results.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "thread" in str(results[0])


@pytest.mark.fault("F3")
def test_without_math_verify_numbers_are_graded_and_the_rest_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "math_verify", None)
    assert grade("12", 12) == 1.0
    with pytest.raises(MissingExtraError, match=r"posttrain\[math\]"):
        grade(r"\boxed{x+1}", "1+x")


def test_scores_are_json():
    assert json.dumps(math_answer(["q"], ["12"], [12])) == "[1.0]"


@pytest.mark.paper("singhal2023egk")
def test_length_is_all_that_counts():
    """1 at the target, less on both sides, 0 for an empty answer, below 0 beyond twice the target."""
    scores = length(["", "a b", "c d e f", "x " * 8, "y " * 12], target=4)
    assert scores == [0.0, 0.5, 1.0, 0.0, -1.0]
    assert length(["any four words here"], target=4) == length(["or four others now"], target=4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"so \boxed{12.0} apples", "12"),
        ("First 3, then 4.\n#### 1,200", "1200"),
        ("the answer is: x + 1.", "x + 1"),
        ("  Paris \n", "Paris"),
        (r"cut off: \boxed{12", ""),
    ],
)
def test_the_final_answers_of_texts_are_equal_where_they_say_the_same(text: str, said: str) -> None:
    assert final(text) == said


@pytest.mark.parametrize(
    ("completion", "score"),
    [
        ("It is \\boxed{12}.", 1.0),
        ("\\boxed{12} or \\boxed{13}", -0.5),  # the last box counts
        ("\\boxed{12} \\boxed{", -1.0),  # cut off
        ("It is 12.", -1.0),
        ("", -1.0),
    ],
)
def test_math_answer_with_the_rewards_of_rise(completion, score):
    """1, -0.5 and -1 for a right answer, a wrong one and none."""
    assert math_answer(["q"], [completion], [12], wrong=-0.5, unmarked=-1.0) == [score]


def test_a_group_with_two_outcomes_has_the_advantages_of_any_two_rewards():
    """Standardised within the group, 1 and 0 are 1 and -0.5: other rewards matter only beside a third outcome."""
    texts = ["#### 12", "#### 13", "#### 12", "#### 1"]

    def advantages(**settings):
        scores = math_answer(["q"] * 4, texts, [12] * 4, **settings)
        mean = sum(scores) / 4
        spread = (sum((s - mean) ** 2 for s in scores) / 4) ** 0.5
        return [(s - mean) / spread for s in scores]

    assert advantages(wrong=-0.5) == pytest.approx(advantages())
    assert advantages(wrong=-3.0, unmarked=-1.0) == pytest.approx(advantages())


def test_an_unreadable_gold_answer_is_an_error_whatever_the_answer():
    with pytest.raises(ValueError, match="holds no gold answer"):
        math_answer(["q"], ["no mark"], [""], unmarked=-1.0)
    assert math_answer(["q"], ["no mark"], [None], unmarked=-1.0) == [None]
