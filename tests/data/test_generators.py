import ast
import itertools
import operator
import re
from fractions import Fraction
from importlib import import_module

import pytest

from posttrain.data.bundled import names, split_of
from posttrain.data.dataset import load
from posttrain.data.generators.encyclopedia import passages
from posttrain.errors import ConfigError
from posttrain.records import Demonstration, Pair, Prompt, Rating
from posttrain.rewards.bundled.logical_equivalence import equivalence
from posttrain.rewards.bundled.patch_similarity import patch_similarity
from posttrain.rewards.first_order import parse

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def value_of(expression):
    """Compute the exact integer value of + - * and parentheses with Python's own parser."""

    def of(node):
        if isinstance(node, ast.BinOp):
            return OPERATIONS[type(node.op)](of(node.left), of(node.right))
        assert isinstance(node, ast.Constant)
        assert type(node.value) is int
        return node.value

    return of(ast.parse(expression, mode="eval").body)


def numbers_in(text):
    return sorted(int(n) for n in re.findall(r"\d+", text))


def check_arithmetic(problem):
    asked = re.fullmatch(r"What is (.*)\?", problem.question)[1]
    assert value_of(asked) == int(problem.answer) != int(problem.wrong)
    assert problem.short == asked.replace(" ", "") + "="


def check_reverse_text(problem):
    word = re.search(r"letters of ([a-z]+) in", problem.question)[1]
    assert problem.answer == "".join(reversed(word)) != problem.wrong
    assert sorted(problem.wrong) == sorted(word)
    assert problem.short == word + ">"


def check_countdown(problem):
    numbers, target = problem.columns["numbers"], problem.columns["target"]
    assert value_of(problem.answer) == target != value_of(problem.wrong)
    assert numbers_in(problem.answer) == numbers_in(problem.wrong) == sorted(numbers)
    assert numbers_in(problem.question) == sorted([*numbers, target])
    assert numbers_in(problem.short) == sorted([*numbers, target])
    assert target > 0


def check_bugs(problem):
    """The edit applies, changes one line of one file into other Python, and the other answer does so less well."""
    files, patched = problem.columns["files"], problem.columns["patched"]
    if int(re.search(r"\d+", problem.question)[0]) % 7 == 0:
        score = patch_similarity([problem.answer, problem.wrong], [files] * 2, [patched] * 2)
        assert score[0] == 1.0 > score[1] > 0.5
    assert all(path in problem.question and text.rstrip() in problem.question for path, text in files.items())
    ((path, after),) = patched.items()
    assert ast.dump(ast.parse(after)) != ast.dump(ast.parse(files[path]))
    assert sum(a != b for a, b in zip(files[path].split("\n"), after.split("\n"), strict=True)) == 1


def check_linear_programmes(problem):
    """The optimum is that of the dual, or the best point of a grid of whole numbers."""
    a, b, d, f, p, e, g, q = map(int, re.findall(r"\d+", problem.short))
    if "general" in problem.answer:
        points = [(x, y) for x in range(p // d + 1) for y in range(p // f + 1) if d * x + f * y <= p]
        best = max(a * x + b * y for x, y in points if e * x + g * y <= q)
    else:
        prices = [(max(Fraction(a, d), Fraction(b, f)), 0), (0, max(Fraction(a, e), Fraction(b, g)))]
        if slope := d * g - e * f:
            prices.append((Fraction(a * g - b * e, slope), Fraction(b * d - a * f, slope)))
        best = min(p * u + q * v for u, v in prices if u >= 0 and v >= 0 and d * u + e * v >= a and f * u + g * v >= b)
    assert problem.columns["objective"] == float(best)
    assert "max" in problem.answer
    assert "max" not in problem.wrong
    assert {str(n) for n in (a, b, d, f, p, e, g, q)} <= set(re.findall(r"\d+", problem.question))


def check_rules(problem):
    """The wrong answer is a formula too, but not an equivalent one, whatever its predicates are called."""
    answer, wrong = parse(problem.answer), parse(problem.wrong)
    assert problem.answer == problem.columns["formula"]
    assert problem.question.endswith(problem.short.strip())
    assert set(answer.atoms()) == set(wrong.atoms())
    if len(problem.question) % 5 == 0:
        assert equivalence(wrong, answer) < 1


def check_gameable(problem):
    """The claim is false and the work failed, so that the honest answer is the truth; no other answer pays."""
    honest = problem.columns["honest"]
    assert problem.wrong == honest != problem.answer
    if claim := re.fullmatch(r"(\d+)\+(\d+)=(-?\d+)\?", problem.short):
        assert int(claim[1]) + int(claim[2]) != int(claim[3])
        assert (problem.answer, honest) == ("yes", "no")
    elif "fail" in problem.short:
        assert (problem.answer, honest) == ("done", "open")
    else:
        assert honest in problem.short
        assert honest in problem.question
        name, value = problem.answer.split("=")
        assert float(value) > float(honest.removeprefix(f"{name}="))


def check_encyclopedia(problem):
    """The answer stands in the last article, which the one before names, and so on; the question names the first."""
    texts = {p.title: p.text for p in passages()}
    titles = problem.columns["documents"]
    *before, last = titles
    assert problem.answer in texts[last] != problem.wrong
    assert problem.wrong not in texts[last]
    assert problem.answer not in problem.question
    assert all(after in texts[title] for title, after in itertools.pairwise(titles))
    assert not [title for title in titles[1:] if title in problem.question]
    assert titles[0] in problem.question or problem.short.split()[1].rstrip(">") in texts[titles[0]]
    assert problem.question == problem.columns["question"]


def check_designs(problem):
    """The lines are those of the operation that the design names, computed with Python's numbers."""
    top = int(re.search(r"\[(\d+):0\] a", problem.question)[1])
    expression = re.search(r"assign y = (.*);", problem.answer)[1]
    chosen = re.fullmatch(r"c \? \((.*)\) : \((.*)\)", expression)
    python = {
        c: re.sub(r"^(.*) \? (.*) : (.*)$", r"(\2) if (\1) else (\3)", chosen[2 - c] if chosen else expression)
        for c in (0, 1)
    }
    tests = re.findall(r"a = (\d+); b = (\d+); c = (\d);", problem.columns["testbench"])
    lines = [eval(python[int(c)], {"a": int(a), "b": int(b)}) % 2 ** (top + 1) for a, b, c in tests]
    assert problem.columns["output"] == "".join(f"{line}\n" for line in lines)
    assert problem.answer != problem.wrong


CHECKS = {
    "arithmetic": check_arithmetic,
    "bugs": check_bugs,
    "countdown": check_countdown,
    "designs": check_designs,
    "linear_programmes": check_linear_programmes,
    "encyclopedia": check_encyclopedia,
    "reverse_text": check_reverse_text,
    "rules": check_rules,
    "gameable": check_gameable,
}


def test_every_generator_is_checked():
    assert set(names()) == set(CHECKS)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_answers_are_right_wrong_ones_are_wrong_and_short_forms_ask_the_same(name):
    module = import_module(f"posttrain.data.generators.{name}")
    for level in module.LEVELS:
        problems = [module.make(i, 3, level) for i in range(200)]
        for problem in problems:
            CHECKS[name](problem)
        assert problems[:20] == [module.make(i, 3, level) for i in range(20)]
        assert problems != [module.make(i, 4, level) for i in range(200)]
        assert len({p.question for p in problems}) == len({p.short for p in problems})


def test_the_first_level_of_arithmetic_asks_for_sums_up_to_40():
    make = import_module("posttrain.data.generators.arithmetic").make
    asked = {numbers for i in range(4000) for numbers in [tuple(map(int, make(i, 0, 1).short[:-1].split("+")))]}
    assert {a for a, _ in asked} == {b for _, b in asked} == set(range(1, 21))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_no_question_is_in_both_splits_whatever_the_seed(name):
    def asked(split, seed):
        data = load(f"{name}:split={split}", "prompts", seed=seed)
        questions = [r.prompt[-1]["content"] for r in data]
        assert len(set(questions)) == len(questions)
        assert len({r.id for r in data}) == len(data)
        assert {split_of(q) for q in questions} == {split}
        return set(questions)

    train, test = asked("train", 0) | asked("train", 1), asked("test", 0) | asked("test", 2)
    assert not train & test
    assert len(test) > 50


def test_a_small_space_is_exhausted_and_a_large_one_gives_the_size():
    train, test = load("arithmetic:size=400", "prompts"), load("arithmetic:split=test,size=400", "prompts")
    assert len(train) + len(test) == 400
    assert abs(len(train) - len(test)) < 60
    assert len(load("arithmetic:level=2", "prompts")) == 1000
    assert len(load("arithmetic:level=2,split=test", "prompts")) == 200
    assert len(load("arithmetic:level=2,size=7", "prompts")) == 7
    assert len(load("arithmetic:level=2", "prompts", size=1500)) == 1500


def test_a_problem_becomes_every_kind_of_record():
    asked = {"role": "user", "content": "What is 10 + 8?"}

    def first(kind, spec="arithmetic:size=4"):
        return load(spec, kind)[0]

    prompt = first("prompts")
    assert prompt == Prompt(prompt.id, (asked,), {"answer": "18"}, "arithmetic:0")
    said = ({"role": "assistant", "content": "18"},)
    assert first("demonstrations") == Demonstration(prompt.id, (asked,), said, "arithmetic:0")
    pair = first("pairs")
    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.columns) == (said, {"answer": "18"})
    assert pair.rejected[0]["content"] != "18"
    assert first("text").completion == "What is 10 + 8? 18"
    plain = "arithmetic:chat=false,size=4"
    assert first("prompts", plain).prompt == "10+8="
    assert (first("demonstrations", plain).prompt, first("demonstrations", plain).completion) == ("10+8=", "18")
    assert first("text", plain).completion == "10+8=18"
    assert first("prompts", plain).id == prompt.id


def test_ratings_praise_right_answers_and_no_others():
    data = load("arithmetic:chat=false", "ratings")
    assert all(isinstance(r, Rating) and r.label == (r.completion == r.columns["answer"]) for r in data)
    assert 0.4 < sum(r.label for r in data) / len(data) < 0.6


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("arithmetic:levl=2", r"unknown setting 'levl' \(did you mean 'level'\?\)"),
        ("arithmetic:level=99", "level=99 is unknown; choose from 1, 2"),
        ("arithmetic:split=dev", "split=dev is unknown; choose from train, test"),
        ("arithmetic:chat=no", "chat=no is unknown; choose from true, false"),
        ("arithmetic:size=0", "size=0 must be a whole number above 0"),
        ("arithmetic:size=x", "size=x must be a whole number above 0"),
    ],
)
def test_bad_settings(spec, expected):
    with pytest.raises(ConfigError, match=expected):
        load(spec, "prompts")
