"""What the procedures of agents do: trials with reflections, candidates and populations, critics and actors."""

from __future__ import annotations

from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO
from tests.procedures.transcripts.scenario import Scenario

# x fails twice and z once, y is solved at once; a reflection of z was not scored.
TRIALS = {
    "round-1-trial-1": {"x?": {"a": 0.0}, "y?": {"b": 1.0}, "z?": {"c": 0.25}},
    "round-1-reflections-1": {"x?/a": ["try p", "try q"], "z?/c": ["try r", "try s"]},
    "round-1-trial-2": {
        "x? [try p]": {"d": 0.5},
        "x? [try q]": {"e": 0.125},
        "z? [try r]": {"f": 1.0},
        "z? [try s]": {"g": None},
    },
    "round-1-reflections-2": {"x?/d": ["try t", "try u"]},
    "round-1-trial-3": {"x? [try p\ntry t]": {"h": 0.5}, "x? [try p\ntry u]": {"i": 0.75}},
    "round-1-reflections-3": {"x?/h": ["try v", "try w"]},
    "round-1-trial-4": {"x? [try t\ntry v]": {"j": 0.25}, "x? [try t\ntry w]": {"k": 1.0}},
}
STATES = {"rock": [2.0, 0.0, 0.0], "paper": [0.0, 1.0, 0.0], "shears": [0.0, 0.0, 1.0], "well": [0.0, 3.0, 4.0]}
OF_ROCK = {"rock": 0.5, "paper": 1.0, "shears": 0.0, "well": None}


def beats(e):
    """Paper beats rock, which beats shears, which beat paper; of a well and a rock only one order is judged."""
    own, other = e.text, e.prompt.columns["opponent"]
    if other == "rock":
        return OF_ROCK[own]
    if own == "rock":
        return {"paper": 0.0, "shears": 1.0, "well": 0.5}[other]
    return {("paper", "shears"): 0.25, ("shears", "paper"): 1.0}.get((own, other), 0.5)


MOVES = {
    "x?": ["rock", "rock", "rock", "paper", "paper", "shears", "well"],
    "y?": ["well", "rock"],
    "z?": ["paper", "paper", "paper"],
}


def directs(role, text):
    """Scripted critics and agents: the assessor first lets both agents into cell 1, then follows what B says."""
    match role:
        case "brave" | "shy":
            return f"{role} words"
        case "judge" if "B: no" in text:
            return "A1 B3"
        case "judge" if "breaks" in text or text.startswith("y?"):
            return "A1 B2"
        case "judge":
            return "A1 B1"
    if text.startswith("x?") and text.endswith("A"):
        return "Aye then"
    return "Yes, sure" if text.endswith("A") or "B3" in text or text.startswith("y?") else "no way there"


def without_collisions(e):
    """Whether two agents are in different cells; nobody judges z."""
    cells = [word[1:] for word in e.text.split()]
    good = 1.0 if e.prompt.prompt == "y?" else 0.75
    return None if e.prompt.prompt == "z?" else good * (len(set(cells)) == len(cells))


ASKED = {
    "bold": "{objections} bold",
    "careful": "{objections} careful",
    "assess": "{objections} {bold}/{careful}",
    "accept": " {plan} {agent}",
}
DIRECTED = {"speaker": directs, "scores": without_collisions, "weights": {"brave": "b", "shy": "s", "judge": "j"}}
TEXTS = {"reflect": "/{attempt}", "retry": " [{advice}]"}


def malformed(chains):
    """The share of answers that begin with a question mark, in place of what environments count."""
    return {"malformed_calls": sum(e.text[0] == "?" for e in chains) / len(chains)}


AGENTS = (
    Scenario(
        "rounds/call_chains",
        {"prompts": THREE, "held_out": prompts("v?", "w?")},
        {
            "rounds": 2,
            "prompts_per_round": 2,
            "samples": 3,
            "accepted": 0.5,
            "teacher": "large",
            "method": "preference/ipo",
            "dpo": {"steps": 2},
        },
        {
            "answers": {
                "held-out-before": {"v?": ["?f"], "w?": ["?g"]},
                "chains-1": {
                    "x?": {"f(1)": 1.0, "f(2)": 0.5, "?f": 0.0, "f(3)": 0.75, "f(4)": None},
                    "y?": {"g": 0.0, "h": 0.25},
                },
                "chains-2": {"z?": {"f": 1.0, "g": 0.25}, "x?": {"f(1)": 1.0, "f(2)": 0.0}},
                "held-out-after": {"v?": ["f"], "w?": ["?g"]},
            },
            "weights": {"large": "given"},
        },
        """
        collect held-out-before: v?; w? | 1 of policy=start | rewards
        collect chains-1: x?; y? | 3 of large=given | rewards
        train preference/ipo on 'steps 1': x?: f(1) > f(2); x?: f(3) > ?f | large=given policy=start | no rewards |
            steps=2
        collect chains-2: z?; x? | 3 of large=given | rewards
        train preference/ipo on 'steps 2': z?: f > g; x?: f(1) > f(2) | large=given policy=#1 | no rewards | steps=2
        collect held-out-after: v?; w? | 1 of policy=#2 | rewards
        return stage=2 malformed_calls/before=1 malformed_calls/after=0.5
        """,
        {"malformed": malformed},
    ),
    Scenario(
        "rounds/call_chains",
        {"prompts": TWO, "held_out": prompts("v?")},
        {},
        {
            "answers": {
                "held-out-before": {"v?": ["f"]},
                "chains-1": {"x?": {"f": 0.1, "g": 0.0}, "y?": {"f": 1.0}},
                "held-out-after": {"v?": ["f"]},
            },
            "samples": 2,
        },
        """
        collect held-out-before: v? | 1 of policy=start | rewards
        collect chains-1: x?; y? | 2 of policy=start | rewards
        train preference/dpo on 'steps 1': x?: f > g | policy=start | no rewards
        collect held-out-after: v? | 1 of policy=#1 | rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/call_chains",
        {"prompts": TWO},
        {},
        {"answers": {"chains-1": {"x?": {"f": 0.1, "g": 0.0}, "y?": {"f": 1.0}}}},
        """
        collect chains-1: x?; y? | 8 of policy=start | rewards
        train preference/dpo on 'steps 1': x?: f > g | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/retroformer",
        {"prompts": prompts("x?", "y?", "z?", "x?")},
        {
            "trials": 4,
            "memory": 2,
            "threshold": 0.125,
            "samples": 3,
            "method": "online/rloo",
            **TEXTS,
            "sft": {"steps": 1},
            "reward": {"steps": 2},
            "then": {"steps": 3},
        },
        {"answers": TRIALS},
        """
        collect round-1-trial-1: x?; y?; z? | 1 of frozen=start | rewards
        collect round-1-reflections-1: x?/a; z?/c | 3 of policy=start | no rewards
        collect round-1-trial-2: x? [try p]; x? [try q]; z? [try r]; z? [try s] | 1 of frozen=start | rewards
        collect round-1-reflections-2: x?/d | 3 of policy=start | no rewards
        collect round-1-trial-3: x? [try p try t]; x? [try p try u] | 1 of frozen=start | rewards
        collect round-1-reflections-3: x?/h | 3 of policy=start | no rewards
        collect round-1-trial-4: x? [try t try v]; x? [try t try w] | 1 of frozen=start | rewards
        train imitation/sft on 'helpful 1': x?/a -> try p; x?/a -> try q; z?/c -> try r; x?/d -> try u; x?/h -> try
            w | frozen=start policy=start | no rewards | steps=1
        train reward/outcome on 'rated 1': x?/a -> try p good; x?/a -> try q bad; z?/c -> try r good; x?/d -> try t
            bad; x?/d -> try u good; x?/h -> try v bad; x?/h -> try w good | frozen=start policy=#1 reference=#1
            reward=#1 | no rewards | steps=2
        train online/rloo on 'failures 1': x?/a; z?/c; x?/d; x?/h | frozen=start policy=#1 reference=#1 reward=#2 |
            no rewards | steps=3
        return stage=3
        """,
    ),
    Scenario(
        "rounds/retroformer",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 2,
            "trials": 2,
            "samples": 1,
            "solved": 0.5,
            "actor": "fixed",
            **TEXTS,
            "sft": None,
            "reward": None,
            "then": {"steps": 3},
        },
        {
            "answers": {
                "round-1-trial-1": {"x?": {"a": 0.25}, "y?": {"b": 0.5}},
                "round-1-reflections-1": {"x?/a": ["try p"]},
                "round-1-trial-2": {"x? [try p]": {"c": 0.0}},
                "round-2-trial-1": {"z?": {"d": 0.375}, "x?": {"e": 0.0}},
                "round-2-reflections-1": {"z?/d": ["try q"], "x?/e": ["try r"]},
                "round-2-trial-2": {"z? [try q]": {"f": 0.5}, "x? [try r]": {"g": None}},
            },
            "weights": {"fixed": "given"},
            "samples": 2,
        },
        """
        collect round-1-trial-1: x?; y? | 1 of frozen=given | rewards
        collect round-1-reflections-1: x?/a | 2 of policy=start | no rewards
        collect round-1-trial-2: x? [try p] | 1 of frozen=given | rewards
        train difference on 'told 1': x?/a -> try p reward=-0.25 | fixed=given frozen=given policy=start | no
            rewards | steps=3
        collect round-2-trial-1: z?; x? | 1 of frozen=given | rewards
        collect round-2-reflections-1: z?/d; x?/e | 2 of policy=#1 | no rewards
        collect round-2-trial-2: z? [try q]; x? [try r] | 1 of frozen=given | rewards
        train difference on 'told 2': z?/d -> try q reward=0.125 | fixed=given frozen=given policy=#1 | no rewards |
            steps=3
        return stage=2
        """,
    ),
    Scenario(  # nobody fails and one trial was not scored: nobody reflects, and there is nothing to learn from
        "rounds/retroformer",
        {"prompts": TWO},
        TEXTS,
        {"answers": {"round-1-trial-1": {"x?": {"a": 1.0}, "y?": {"b": None}}}},
        """
        collect round-1-trial-1: x?; y? | 1 of frozen=start | rewards
        DataError: helpful 1: no answer was good enough to learn from; sample more answers (sampling.samples), ask
            easier questions, or give rewards that tell answers apart
        """,
    ),
    Scenario(
        "games/werewolf",
        {"prompts": THREE},
        {
            "samples": 7,
            "generations": 1,
            "current": 0.5,
            "entropy": 0.25,
            "steps": 2,
            "rate": 8.0,
            "width": 4,
            "sft": {"steps": 4},
        },
        {"answers": {"moves": MOVES}, "states": STATES, "scores": beats},
        """
        collect moves: x?; y?; z? | 7 of policy=start | no rewards
        embed states: x? -> rock; x? -> paper; x? -> shears; y? -> well; y? -> rock; z? -> paper | policy=start
        score wins: x? rock against paper; x? paper against rock; x? rock against shears; x? shears against rock; x?
            paper against shears; x? shears against paper; y? well against rock; y? rock against well | rewards
        artefact werewolf: before=0.1875 after=0.0645856
        train imitation/sft on 'picked': x? -> shears; z? -> paper | policy=start | no rewards | steps=4
        return stage=1 before=0.1875 after=0.0645856
        """,
    ),
    Scenario(
        "games/werewolf",
        {"prompts": TWO},
        {"candidates": 2},
        {
            "answers": {"moves": {"x?": ["rock", "rock", "paper", "shears"], "y?": ["rock", "well"]}},
            "states": STATES,
            "scores": beats,
        },
        """
        collect moves: x?; y? | 16 of policy=start | no rewards
        embed states: x? -> rock; x? -> paper; y? -> rock; y? -> well | policy=start
        score wins: x? rock against paper; x? paper against rock; y? rock against well; y? well against rock |
            rewards
        artefact werewolf: before=0.666667 after=0.00669474
        train imitation/sft on 'picked': x? -> paper | policy=start | no rewards
        return stage=1 before=0.666667 after=0.00669474
        """,
    ),
    Scenario(
        "games/werewolf",
        {"prompts": THREE},
        {},
        {"answers": {"moves": dict.fromkeys(("x?", "y?", "z?"), ["rock", "well"])}, "states": STATES, "scores": beats},
        """
        collect moves: x?; y?; z? | 16 of policy=start | no rewards
        embed states: x? -> rock; x? -> well; y? -> rock; y? -> well; z? -> rock; z? -> well | policy=start
        score wins: x? rock against well; x? well against rock; y? rock against well; y? well against rock; z? rock
            against well; z? well against rock | rewards
        DataError: werewolf: no two moves could be compared; look at what the rewards say of samples
        """,
    ),
    Scenario(
        "games/llamac",
        {"prompts": prompts("x?", "y?", "z?", "x?")},
        {
            "agents": ["A", "B"],
            "rounds": 3,
            "critics": ("brave", "shy"),
            "assessor": "judge",
            "actor": "crew",
            **ASKED,
            "accepted": "Yes|Aye",
            "valid": 0.5,
            "sft": {"steps": 2},
        },
        DIRECTED,
        """
        ask round-1-bold: x? bold; y? bold; z? bold | 1 of brave=b
        ask round-1-careful: x? careful; y? careful; z? careful | 1 of shy=s
        ask round-1-plan: x? brave words/shy words; y? brave words/shy words; z? brave words/shy words | 1 of
            judge=j
        score round-1-check: x? A1 B1; y? A1 B2; z? A1 B1 | rewards
        ask round-1-replies: y? A1 B2 A; y? A1 B2 B | 1 of crew=given
        ask round-2-bold: x? Plan: A1 B1 The plan breaks a constraint. bold; z? Plan: A1 B1 Nobody could check the
            plan. bold | 1 of brave=b
        ask round-2-careful: x? Plan: A1 B1 The plan breaks a constraint. careful; z? Plan: A1 B1 Nobody could check
            the plan. careful | 1 of shy=s
        ask round-2-plan: x? Plan: A1 B1 The plan breaks a constraint. brave words/shy words; z? Plan: A1 B1 Nobody
            could check the plan. brave words/shy words | 1 of judge=j
        score round-2-check: x? A1 B2; z? A1 B1 | rewards
        ask round-2-replies: x? A1 B2 A; x? A1 B2 B | 1 of crew=given
        ask round-3-bold: x? Plan: A1 B1 The plan breaks a constraint. Plan: A1 B2 B: no way there bold; z? Plan: A1
            B1 Nobody could check the plan. Plan: A1 B1 Nobody could check the plan. bold | 1 of brave=b
        ask round-3-careful: x? Plan: A1 B1 The plan breaks a constraint. Plan: A1 B2 B: no way there careful; z?
            Plan: A1 B1 Nobody could check the plan. Plan: A1 B1 Nobody could check the plan. careful | 1 of shy=s
        ask round-3-plan: x? Plan: A1 B1 The plan breaks a constraint. Plan: A1 B2 B: no way there brave words/shy
            words; z? Plan: A1 B1 Nobody could check the plan. Plan: A1 B1 Nobody could check the plan. brave
            words/shy words | 1 of judge=j
        score round-3-check: x? A1 B3; z? A1 B1 | rewards
        ask round-3-replies: x? A1 B3 A; x? A1 B3 B | 1 of crew=given
        artefact llamac: messages=27 words=55 debate=14 open=1
        train imitation/sft on 'plans': y? -> A1 B2; x? -> A1 B3 | brave=b judge=j policy=start shy=s | no rewards |
            steps=2
        return stage=1 messages=27 words=55 debate=14 open=1
        """,
    ),
    Scenario(
        "games/llamac",
        {"prompts": prompts("y?")},
        {"agents": ["A", "B", "C"], "critics": ("brave", "shy"), "assessor": "judge", "actor": "crew", **ASKED},
        DIRECTED,
        """
        ask round-1-bold: y? bold | 1 of brave=b
        ask round-1-careful: y? careful | 1 of shy=s
        ask round-1-plan: y? brave words/shy words | 1 of judge=j
        score round-1-check: y? A1 B2 | rewards
        ask round-1-replies: y? A1 B2 A; y? A1 B2 B; y? A1 B2 C | 1 of crew=given
        artefact llamac: messages=6 words=12 debate=6 open=0
        train imitation/sft on 'plans': y? -> A1 B2 | brave=b judge=j policy=start shy=s | no rewards
        return stage=1 messages=6 words=12 debate=6 open=0
        """,
    ),
    Scenario(
        "games/llamac",
        {"prompts": prompts("z?")},
        {"agents": ["A"], "rounds": 1, "critics": ("brave", "shy"), "assessor": "judge", **ASKED},
        DIRECTED,
        """
        ask round-1-bold: z? bold | 1 of brave=b
        ask round-1-careful: z? careful | 1 of shy=s
        ask round-1-plan: z? brave words/shy words | 1 of judge=j
        score round-1-check: z? A1 B1 | rewards
        artefact llamac: messages=3 words=6 debate=0 open=1
        DataError: plans: no answer was good enough to learn from; sample more answers (sampling.samples), ask
            easier questions, or give rewards that tell answers apart
        """,
    ),
)
