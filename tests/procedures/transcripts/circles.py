"""What the procedures do whose preferences go in a circle."""

from __future__ import annotations

from posttrain.records import Episode
from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO
from tests.procedures.transcripts.scenario import Scenario

BEATS = {("rock", "scissors"): 0.9, ("paper", "rock"): 0.6, ("scissors", "paper"): 0.7}


def referee(e: Episode) -> float | None:
    """How often the first one wins; 1/2 where both are the same, and nothing of words that are no move."""
    one, other = e.text, str(e.prompt.columns["opponent"])
    if "wall" in (one, other):
        return None
    return BEATS.get((one, other), 1 - BEATS.get((other, one), 0.5))


def first(e: Episode) -> float:
    """A judge that prefers what it reads first, and a little more b."""
    return 0.9 if e.text == "b" else 0.8


def deaf(e: Episode) -> float | None:
    """A referee that fails where a rock is asked about first, and paper stands against it."""
    return None if (e.text, e.prompt.columns["opponent"]) == ("rock", "paper") else referee(e)


CIRCLES = (
    Scenario(  # rock beats 0.4, 0.9 and 0.5, paper 0.6, 0.3 and 0.6, scissors 0.1, 0.7 and 0.1: 0.6, 0.5 and 0.3
        "games/dno",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "dno": {"steps": 4}},
        {
            "answers": {
                "round-1": {"x?": ["rock", "paper", "scissors", "rock"]},
                "round-2": {"y?": ["scissors", "wall", "paper"]},
            },
            "scores": referee,
        },
        """
        collect round-1: x? | 4 of policy=start | no rewards
        score wins-1: x? rock against paper; x? paper against rock; x? rock against scissors; x? scissors against rock;
            x? rock against rock; x? rock against rock; x? paper against scissors; x? scissors against paper;
            x? paper against rock; x? rock against paper; x? scissors against rock; x? rock against scissors | rewards
        train preference/dno on 'round 1': x?: rock > paper; x?: rock > scissors; x?: paper > scissors
            | policy=start reference=start | no rewards | steps=4
        collect round-2: y? | 4 of policy=#1 | no rewards
        score wins-2: y? scissors against wall; y? wall against scissors; y? scissors against paper;
            y? paper against scissors; y? wall against paper; y? paper against wall | rewards
        train preference/dno on 'round 2': y?: scissors > paper | policy=#1 reference=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(  # 0.6 - 0.5 and 0.5 - 0.3 are too little
        "games/dno",
        {"prompts": prompts("x?")},
        {"rounds": 1, "apart": 0.25, "method": "preference/dpo"},
        {"answers": {"round-1": {"x?": ["paper", "rock", "scissors", "rock"]}}, "scores": referee},
        """
        collect round-1: x? | 4 of policy=start | no rewards
        score wins-1: x? paper against rock; x? rock against paper; x? paper against scissors;
            x? scissors against paper; x? paper against rock; x? rock against paper; x? rock against scissors;
            x? scissors against rock; x? rock against rock; x? rock against rock; x? scissors against rock;
            x? rock against scissors | rewards
        train preference/dpo on 'round 1': x?: rock > scissors | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(  # (0.8 + 0.1)/2 and (0.2 + 0.9)/2: both orders count, and a tie is a pair
        "games/dno",
        {"prompts": TWO},
        {"rounds": 1},
        {"answers": {"round-1": {"x?": ["a", "b"], "y?": ["c", "d"]}}, "scores": first},
        """
        collect round-1: x?; y? | 4 of policy=start | no rewards
        score wins-1: x? a against b; x? b against a; y? c against d; y? d against c | rewards
        train preference/dno on 'round 1': x?: b > a; y?: c > d | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(  # rock beats 0.4, 0.9 and 0.9, paper 0.6, 0.3 and 0.3, scissors 0.1, 0.1, 0.7 and 0.7: 0.73, 0.4 and 0.4
        "games/dno",
        {"prompts": prompts("x?")},
        {"rounds": 1, "apart": 0.34},
        {"answers": {"round-1": {"x?": ["rock", "paper", "scissors"]}}, "scores": deaf},
        """
        collect round-1: x? | 4 of policy=start | no rewards
        score wins-1: x? rock against paper; x? paper against rock; x? rock against scissors; x? scissors against rock;
            x? paper against scissors; x? scissors against paper | rewards
        DataError: round 1: no answer was good enough to learn from; sample more answers (sampling.samples),
            ask easier questions, or give rewards that tell answers apart
        """,
    ),
)
