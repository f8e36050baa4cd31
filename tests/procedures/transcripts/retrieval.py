"""What LeReT does: queries in hops, what the best one finds before the next, and what is learned of them."""

from __future__ import annotations

from posttrain.data.generators.encyclopedia import Passage
from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.scenario import Scenario


class Library:
    """Finds the documents whose letters stand in a query, in the order of the query; their text is the letter."""

    def search(self, query: str, k: int) -> list[Passage]:
        return [Passage(letter, letter.upper()) for letter in query if letter in "abcd"][:k]


def library(corpus: str | None) -> Library:
    assert corpus is None
    return Library()


def mine(corpus: str | None) -> Library:
    assert corpus == "mine"
    return Library()


QUESTIONS = prompts("x?", "y?", "z?", documents=[["a", "b"], ["c"], ["d"]])
LIBRARY = {"corpus_of": library}

# x needs a and b: `a` finds one of them, `cab` both, behind another. y is answered in the first hop; for z,
# d is found too late.
HOPS = {
    "round-1-hop-1-1": {"x? Q": ["a", "-"], "y? Q": ["c", "dc"], "z? Q": ["-", "abd"]},
    "round-1-hop-1-2": {"eg x? Q": ["ca", "-"], "eg y? Q": ["dc", "-"], "eg z? Q": ["---", "-"]},
    "round-1-hop-2-1": {"x?\na: A Q": ["a", "db"], "z? Q": ["a", "b"]},
    "round-1-hop-2-2": {"eg x?\na: A Q": ["b", "a"], "eg z? Q": ["-", "c"]},
}

RETRIEVAL = (
    Scenario(
        "rounds/leret",
        {"prompts": QUESTIONS},
        {"beginnings": ["", "eg "], "request": " Q", "k": 2, "sft": {"steps": 1}, "ipo": {"steps": 2}},
        {"answers": HOPS},
        """
        collect round-1-hop-1-1: x? Q; y? Q; z? Q | 4 of policy=start | no rewards
        collect round-1-hop-1-2: eg x? Q; eg y? Q; eg z? Q | 4 of policy=start | no rewards
        collect round-1-hop-2-1: x? a: A Q; z? Q | 4 of policy=start | no rewards
        collect round-1-hop-2-2: eg x? a: A Q; eg z? Q | 4 of policy=start | no rewards
        train imitation/sft on 'best 1': x? Q -> a; y? Q -> c; x? a: A Q -> b | policy=start | no
            rewards | steps=1
        train preference/ipo on 'pairs 1': x? Q: a > -; y? Q: c > -; x? a: A Q: b > a | policy=#1
            reference=#1 | no rewards | steps=2
        return stage=2 best_query=0.5
        """,
        LIBRARY,
    ),
    Scenario(  # what is found twice is read once; when all is found, nobody is asked; a gap of a half is too small
        "rounds/leret",
        {"prompts": prompts("x?", "y?", "x?", documents=[["a", "b", "c"], ["d"], ["a", "b", "c"]])},
        {
            "rounds": 2,
            "prompts_per_round": 1,
            "hops": 4,
            "samples": 2,
            "request": " Q",
            "corpus": "mine",
            "margin": 0.5,
            "method": "preference/dpo",
            "sft": None,
            "ipo": {"steps": 2},
        },
        {
            "answers": {
                "round-1-hop-1-1": {"x? Q": ["a", "-"]},
                "round-1-hop-2-1": {"x?\na: A Q": ["abdc", "-"]},
                "round-1-hop-3-1": {"x?\na: A\nb: B\nd: D Q": ["-", "c"]},
                "round-2-hop-1-1": {"y? Q": ["d", "-"]},
            }
        },
        """
        collect round-1-hop-1-1: x? Q | 2 of policy=start | no rewards
        collect round-1-hop-2-1: x? a: A Q | 2 of policy=start | no rewards
        collect round-1-hop-3-1: x? a: A b: B d: D Q | 2 of policy=start | no rewards
        train preference/dpo on 'pairs 1': x? a: A b: B d: D Q: c > - | policy=start reference=start | no rewards |
            steps=2
        collect round-2-hop-1-1: y? Q | 2 of policy=#1 | no rewards
        train preference/dpo on 'pairs 2': y? Q: d > - | policy=#1 reference=#1 | no rewards | steps=2
        return stage=2 best_query=1
        """,
        {"corpus_of": mine},
    ),
    Scenario(  # defaults, and all questions in two rounds
        "rounds/leret",
        {"prompts": prompts("x?", "y?", "x?", documents=[["a"], ["b", "c"], ["a"]])},
        {"rounds": 2},
        {
            "answers": {
                "round-1-hop-1-1": {"x?\nQuery:": ["a", "-"], "y?\nQuery:": ["adbc", "db"]},
                "round-1-hop-2-1": {"y?\nd: D\nb: B\nQuery:": ["dac", "dcb"]},
                "round-2-hop-1-1": {"x?\nQuery:": ["a", "ba"], "y?\nQuery:": ["bac", "b"]},
            }
        },
        """
        collect round-1-hop-1-1: x? Query:; y? Query: | 4 of policy=start | no rewards
        collect round-1-hop-2-1: y? d: D b: B Query: | 4 of policy=start | no rewards
        train imitation/sft on 'best 1': x? Query: -> a; y? Query: -> db; y? d: D b: B Query: -> dcb |
            policy=start | no rewards
        train preference/ipo on 'pairs 1': x? Query:: a > -; y? Query:: db > adbc; y? d: D b: B Query:: dcb >
            dac | policy=#1 reference=#1 | no rewards
        collect round-2-hop-1-1: x? Query:; y? Query: | 4 of policy=#2 | no rewards
        train imitation/sft on 'best 2': x? Query: -> a; y? Query: -> bac | policy=#2 reference=#1 | no rewards
        train preference/ipo on 'pairs 2': x? Query:: a > ba; y? Query:: bac > b | policy=#3 reference=#3 | no rewards
        return stage=4 best_query=0.916667
        """,
        LIBRARY,
    ),
)
