"""What searches over prompts do: whom they ask what, what they score, and which prompt is kept."""

from __future__ import annotations

from typing import Any

import torch

from posttrain.records import Episode
from posttrain.search.prompts.editing import Rollout
from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.scenario import Scenario

ASKED = prompts("1+1?", "2+3?", "4+4?", answer=["2", "5", "8"])
OTHERS = prompts("9+9?", answer=["18"])


def right(e: Episode) -> float | None:
    """Whether the answer is right; an answer that is empty cannot be scored."""
    return float(e.text == e.prompt.columns["answer"]) if e.text else None


def solver(asked: str) -> str:
    """Answers right as many questions as its prompt has the word well; nothing where it is told to be silent."""
    prompt, _, question = asked.partition("\n")
    known = {"1+1?": "2", "2+3?": "5", "4+4?": "8", "9+9?": "18"}
    able = [*known][: prompt.count("well")] + (["9+9?"] if prompt.count("well") > 1 else [])
    return "" if "silent" in prompt else known[question] if question in able else "0"


def by_number(*texts: str, first: str = "Add\n1+1?") -> Any:
    """Writes these one after the other, whatever it is asked, from when the first question is answered."""
    left: list[str] = []

    def says(role: str, asked: str) -> str:
        if asked == first:
            left[:] = texts
        return solver(asked) if role == "able" else left.pop(0)

    return says


def longer(role: str, asked: str) -> str:
    """Adds a letter to the prompt, another one for each prompt that it remembers."""
    past, present, _ = asked.split("|")
    return f"{present} {'xyzc'[past.count('score')]}"


class Editor(torch.nn.Module):
    """In the place of the policy over edits: it remembers how it was made.

    It brings the third example to the front, then the second, and stops.
    """

    def __init__(self, examples: Any, phrases: Any, edits: Any, **how: Any) -> None:
        super().__init__()
        self.made = [examples.tolist(), phrases.tolist(), len(edits), *how.values()]
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.count = len(edits)

    def forward(self, views: Any) -> Any:
        chosen = torch.tensor([2, 0, 1])[views.examples[:, 0]]
        logp = torch.full((len(views.queries), self.count), -99.0).scatter(1, chosen[:, None], 0.0)
        return logp.log_softmax(1), views.queries.sum(1) + views.examples[:, 0]

    def state(self) -> dict[str, Any]:
        return {"made": self.made}


def learned(_: Any, optimiser: Any, rollout: Rollout, rates: Any) -> dict[str, Any]:
    """What it learns from, as numbers."""
    how = [rates.discount, rates.decay, rates.entropy, optimiser.param_groups[0]["lr"]]
    return {"actions": rollout.actions.tolist(), "values": rollout.values.tolist(), "how": how}


def doubtful(_: str, asked: str) -> list[float]:
    """Says yes where the last example comes first, else no; of 7 always yes."""
    yes = 0.75 if "\nc=" in asked.partition("a=")[0] or asked.endswith("7?") else 0.25
    return [yes, 1 - yes]


CHAT, SEVEN = ({"role": "user", "content": "2?"},), ({"role": "user", "content": "7?"},)
POOL = prompts("a", "b", "c", "a", answer=["yes", "no", "yes", "yes"])
STATES = {
    "1?": (1.0, 0.0),
    "2?": (0.0, 2.0),
    "3?": (3.0, 0.0),
    "7?": (7.0, 0.0),
    "a=yes": (0.5, 0.5),
    "b=no": (0.25, 0.0),
}
STATES |= {"c=yes": (0.0, 0.125), "Be brief.": (3.0, 3.0), "Be right!": (4.0, 4.0)}
EDITS = {
    "labels": ("yes", "no"),
    "instruction": "Be brief. Be right!",
    "templates": ("{question}={answer}", "{question} is {answer}"),
    "shots": 2,
    "horizon": 2,
    "rounds": 2,
    "queries": 1,
    "solver": "able",
    "reader": "wise",
    "width": 9,
    "learning_rate": 0.25,
    "discount": 0.5,
    "decay": 0.125,
    "entropy": 0.0625,
}

PROMPTS: tuple[Scenario, ...] = (
    Scenario(
        "prompts/gpo",
        {"prompts": ASKED, "held_out": OTHERS},
        {
            "start": "Add",
            "rounds": 3,
            "candidates": 3,
            "remember": 1,
            "by": "recency",
            "first": 4,
            "last": 0,
            "examples": 2,
            "writer": "poet",
            "solver": "able",
            "samples": 2,
            "request": "{past}|{prompt}|{budget}|{examples}",
        },
        {
            "speaker": by_number(
                "<prompt>Add well</prompt>",
                "Add very very very very well",
                "",
                "be silent",
                "Add well well",
                "Add so well",
                "Add well well now",
                "Add well well well",
                "well",
            ),
            "scores": right,
            "weights": {"able": "a", "poet": "p"},
        },
        """
        evolve gpo from Add | beam rounds=3 branching=3
        ask gpo-0: Add 1+1?; Add 2+3?; Add 4+4? | 2 of able=a
        score gpo-0-scores: 1+1? 0; 1+1? 0; 2+3? 0; 2+3? 0; 4+4? 0; 4+4? 0 | rewards
        ask gpo-write-1: |Add|4|Input: 1+1? Output: 2 Input: 2+3? Output: 5 | 1 of poet=p
        ask gpo-write-2: |Add|4|Input: 1+1? Output: 2 Input: 2+3? Output: 5 | 1 of poet=p
        ask gpo-write-3: |Add|4|Input: 1+1? Output: 2 Input: 2+3? Output: 5 | 1 of poet=p
        ask gpo-1: Add well 1+1?; Add well 2+3?; Add well 4+4? | 2 of able=a
        score gpo-1-scores: 1+1? 2; 1+1? 2; 2+3? 0; 2+3? 0; 4+4? 0; 4+4? 0 | rewards
        ask gpo-write-4: score 0: Add|Add well|3|Input: 4+4? Output: 8 Input: 1+1? Output: 2 | 1 of poet=p
        ask gpo-write-5: score 0: Add|Add well|3|Input: 4+4? Output: 8 Input: 1+1? Output: 2 | 1 of poet=p
        ask gpo-write-6: score 0: Add|Add well|3|Input: 4+4? Output: 8 Input: 1+1? Output: 2 | 1 of poet=p
        ask gpo-4: be silent 1+1?; be silent 2+3?; be silent 4+4? | 2 of able=a
        score gpo-4-scores: 1+1? ; 1+1? ; 2+3? ; 2+3? ; 4+4? ; 4+4? | rewards
        ask gpo-5: Add well well 1+1?; Add well well 2+3?; Add well well 4+4? | 2 of able=a
        score gpo-5-scores: 1+1? 2; 1+1? 2; 2+3? 5; 2+3? 5; 4+4? 0; 4+4? 0 | rewards
        ask gpo-6: Add so well 1+1?; Add so well 2+3?; Add so well 4+4? | 2 of able=a
        score gpo-6-scores: 1+1? 2; 1+1? 2; 2+3? 0; 2+3? 0; 4+4? 0; 4+4? 0 | rewards
        ask gpo-write-7: score 0.333: Add so well|Add well well|1|Input: 2+3? Output: 5 Input: 4+4? Output: 8 | 1 of
            poet=p
        ask gpo-write-8: score 0.333: Add so well|Add well well|1|Input: 2+3? Output: 5 Input: 4+4? Output: 8 | 1 of
            poet=p
        ask gpo-write-9: score 0.333: Add so well|Add well well|1|Input: 2+3? Output: 5 Input: 4+4? Output: 8 | 1 of
            poet=p
        ask gpo-7: Add well well now 1+1?; Add well well now 2+3?; Add well well now 4+4? | 2 of able=a
        score gpo-7-scores: 1+1? 2; 1+1? 2; 2+3? 5; 2+3? 5; 4+4? 0; 4+4? 0 | rewards
        ask gpo-8: Add well well well 1+1?; Add well well well 2+3?; Add well well well 4+4? | 2 of able=a
        score gpo-8-scores: 1+1? 2; 1+1? 2; 2+3? 5; 2+3? 5; 4+4? 8; 4+4? 8 | rewards
        candidate 0 by given: Add | fitness 0
        candidate 1 by improve: Add well | fitness 0.333333
        candidate 2 by improve: 5 words changed, of 4 | no fitness
        candidate 3 by improve: the reply is empty | no fitness
        candidate 4 by improve: be silent | no fitness
        candidate 5 by improve: Add well well | fitness 0.666667
        candidate 6 by improve: Add so well | fitness 0.333333
        candidate 7 by improve: Add well well now | fitness 0.666667
        candidate 8 by improve: Add well well well | fitness 1
        candidate 9 by improve: 2 words changed, of 1 | no fitness
        artefact prompt.txt: Add well well well
        artefact start.txt: Add
        ask held-out-before: Add 9+9? | 2 of able=a
        score held-out-before-scores: 9+9? 0; 9+9? 0 | rewards
        ask held-out-after: Add well well well 9+9? | 2 of able=a
        score held-out-after-scores: 9+9? 18; 9+9? 18 | rewards
        artefact held_out: before={mean=0 low=0 high=0.793451 n=1} after={mean=1 low=0.206549 high=1 n=1}
            difference={mean=1 low=None high=None n=1 above=1 below=0 p_value=1}
        note held out: 0.0000 [0.0000, 0.7935] before, 1.0000 [0.2065, 1.0000] after; +1.0000 [-inf, +inf], above on 1
            and below on 0 of 1, p = 1 (sign test)
        return fitness/best=1 fitness/round_best=1 fitness/round_mean=0.833333 proposals=3 proposals/unreadable=1
            proposals/repeated=0 proposals/failed=0 held_out/before=0 held_out/after=1 held_out/difference=1
        """,
    ),
    Scenario(
        "prompts/gpo",
        {},
        {"candidates": 1, "request": "{past}|{prompt}|{budget}", "planted": ("a b", "c"), "writer": "poet"},
        {"speaker": longer, "weights": {"poet": "p"}},
        """
        note planted sentences stand in for the examples and for the model that answers them
        evolve gpo from Answer the question. | beam rounds=12 branching=1
        ask gpo-write-1: |Answer the question.|50 | 1 of poet=p
        ask gpo-write-2: score 0: Answer the question. x|Answer the question.|49 | 1 of poet=p
        ask gpo-write-3: score 0: Answer the question. x score 0: Answer the question. y|Answer the question.|47 | 1
            of poet=p
        ask gpo-write-4: score 0: Answer the question. x score 0: Answer the question. y score 0: Answer the question.
            z|Answer the question.|44 | 1 of poet=p
        ask gpo-write-5: score 0: Answer the question. y score 0: Answer the question. z score 0: Answer the
            question.|Answer the question. c|40 | 1 of poet=p
        ask gpo-write-6: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the question.
            c c|Answer the question. c|35 | 1 of poet=p
        ask gpo-write-7: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the question.
            c c|Answer the question. c|30 | 1 of poet=p
        ask gpo-write-8: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the question.
            c c|Answer the question. c|24 | 1 of poet=p
        ask gpo-write-9: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the question.
            c c|Answer the question. c|20 | 1 of poet=p
        ask gpo-write-10: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the
            question. c c|Answer the question. c|15 | 1 of poet=p
        ask gpo-write-11: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the
            question. c c|Answer the question. c|12 | 1 of poet=p
        ask gpo-write-12: score 0: Answer the question. z score 0: Answer the question. score 0.5: Answer the
            question. c c|Answer the question. c|10 | 1 of poet=p
        candidate 0 by given: Answer the question. | fitness 0
        candidate 1 by improve: Answer the question. x | fitness 0
        candidate 2 by improve: Answer the question. y | fitness 0
        candidate 3 by improve: Answer the question. z | fitness 0
        candidate 4 by improve: Answer the question. c | fitness 0.5
        candidate 5 by improve: Answer the question. c c | fitness 0.5
        candidate 6 by improve: Answer the question. c c | fitness 0.5
        candidate 7 by improve: Answer the question. c c | fitness 0.5
        candidate 8 by improve: Answer the question. c c | fitness 0.5
        candidate 9 by improve: Answer the question. c c | fitness 0.5
        candidate 10 by improve: Answer the question. c c | fitness 0.5
        candidate 11 by improve: Answer the question. c c | fitness 0.5
        candidate 12 by improve: Answer the question. c c | fitness 0.5
        artefact prompt.txt: Answer the question. c
        artefact start.txt: Answer the question.
        artefact held_out: before={mean=0 low=0 high=0.65762 n=2} after={mean=0.5 low=0.0945312 high=0.905469 n=2}
            difference={mean=0.5 low=-5.8531 high=6.8531 n=2 above=1 below=0 p_value=1}
        note held out: 0.0000 [0.0000, 0.6576] before, 0.5000 [0.0945, 0.9055] after; +0.5000 [-5.8531, +6.8531],
            above on 1 and below on 0 of 2, p = 1 (sign test)
        return fitness/best=0.5 fitness/round_best=0.5 fitness/round_mean=0.5 proposals=1 proposals/unreadable=0
            proposals/repeated=1 proposals/failed=0 held_out/before=0 held_out/after=0.5 held_out/difference=0.5
        """,
    ),
    Scenario(
        "prompts/gpo",
        {"prompts": ASKED},
        {"rounds": 1, "candidates": 1, "request": "{examples}", "labels": (" 2", " 5", " 8"), "writer": "poet"},
        {"speaker": lambda role, asked: "Be" if role == "poet" else [0.2, 0.5, 0.3], "weights": {"poet": "p"}},
        """
        evolve gpo from Answer the question. | beam rounds=1 branching=1
        choose gpo-0: Answer the question. 1+1?; Answer the question. 2+3?; Answer the question. 4+4? | 2 or 5 or 8 by
            policy=start
        ask gpo-write-1: Input: 1+1? Output: 2 Input: 2+3? Output: 5 Input: 4+4? Output: 8 | 1 of poet=p
        choose gpo-1: Be 1+1?; Be 2+3?; Be 4+4? | 2 or 5 or 8 by policy=start
        candidate 0 by given: Answer the question. | fitness 0.333333
        candidate 1 by improve: Be | fitness 0.333333
        artefact prompt.txt: Answer the question.
        artefact start.txt: Answer the question.
        note there is no data.held_out, so nothing says whether the prompt helps on other examples
        return fitness/best=0.333333 fitness/round_best=0.333333 fitness/round_mean=0.333333 proposals=1
            proposals/unreadable=0 proposals/repeated=0 proposals/failed=0
        """,
    ),
    Scenario(
        "prompts/gpo",
        {"prompts": ASKED},
        {
            "start": "be silent",
            "rounds": 1,
            "candidates": 1,
            "request": "{prompt}?",
            "writer": "poet",
            "solver": "able",
        },
        {
            "speaker": by_number("still silent", first="be silent\n1+1?"),
            "scores": right,
            "weights": {"able": "a", "po": "p"},
        },
        """
        evolve gpo from be silent | beam rounds=1 branching=1
        ask gpo-0 at 0: be silent 1+1?; be silent 2+3?; be silent 4+4? | 1 of able=a
        score gpo-0-scores: 1+1? ; 2+3? ; 4+4? | rewards
        ask gpo-write-1: be silent? | 1 of poet=given
        ask gpo-1 at 0: still silent 1+1?; still silent 2+3?; still silent 4+4? | 1 of able=a
        score gpo-1-scores: 1+1? ; 2+3? ; 4+4? | rewards
        candidate 0 by given: be silent | no fitness
        candidate 1 by create: still silent | no fitness
        artefact prompt.txt: be silent
        artefact start.txt: be silent
        note there is no data.held_out, so nothing says whether the prompt helps on other examples
        return fitness/best=nan fitness/round_best=nan fitness/round_mean=nan proposals=1 proposals/unreadable=0
            proposals/repeated=0 proposals/failed=1
        """,
    ),
    Scenario(
        "prompts/rlprompt",
        {"prompts": ASKED, "held_out": OTHERS},
        {
            "request": "Write:",
            "examples": 2,
            "draws": 4,
            "solver": "able",
            "samples": 2,
            "groups": 3,
            "answer_tokens": 7,
            "start": "Add",
            "then": {"steps": 5},
        },
        {
            "answers": {"prompts": {"Write:": ["silent", " well ", "well", "well well"]}},
            "speaker": lambda role, asked: solver(asked),
            "scores": right,
            "weights": {"able": "a"},
        },
        """
        train online/rlprompt on 'requests': Write: examples=[0 1]; Write: examples=[2] | able=a policy=start |
            ('Task.earned groups=3',) | steps=5
        collect prompts: Write: examples=[0 1] | 4 of policy=#1 | no rewards
        ask prompt-0 to 7: silent 1+1?; silent 2+3?; silent 4+4? | 2 of able=a
        score prompt-0-scores: 1+1? ; 1+1? ; 2+3? ; 2+3? ; 4+4? ; 4+4? | rewards
        ask prompt-1 to 7: well 1+1?; well 2+3?; well 4+4? | 2 of able=a
        score prompt-1-scores: 1+1? 2; 1+1? 2; 2+3? 0; 2+3? 0; 4+4? 0; 4+4? 0 | rewards
        ask prompt-2 to 7: well well 1+1?; well well 2+3?; well well 4+4? | 2 of able=a
        score prompt-2-scores: 1+1? 2; 1+1? 2; 2+3? 5; 2+3? 5; 4+4? 0; 4+4? 0 | rewards
        artefact prompt.txt: well well
        artefact start.txt: Add
        ask held-out-before to 7: Add 9+9? | 2 of able=a
        score held-out-before-scores: 9+9? 0; 9+9? 0 | rewards
        ask held-out-after to 7: well well 9+9? | 2 of able=a
        score held-out-after-scores: 9+9? 18; 9+9? 18 | rewards
        artefact held_out: before={mean=0 low=0 high=0.793451 n=1} after={mean=1 low=0.206549 high=1 n=1}
            difference={mean=1 low=None high=None n=1 above=1 below=0 p_value=1}
        note held out: 0.0000 [0.0000, 0.7935] before, 1.0000 [0.2065, 1.0000] after; +1.0000 [-inf, +inf], above on 1
            and below on 0 of 1, p = 1 (sign test)
        return stage=1 held_out/before=0 held_out/after=1 held_out/difference=1
        """,
    ),
    Scenario(
        "prompts/rlprompt",
        {"prompts": ASKED},
        {"labels": (" 2", " 5", " 8"), "solver": "able", "draws": 1, "method": "online/reinforce"},
        {
            "answers": {"prompts": {"Prompt:": ["well"]}},
            "speaker": lambda role, asked: [0.5, 0.3, 0.2],
            "weights": {"able": "a"},
        },
        """
        train online/reinforce on 'requests': Prompt: examples=[0 1 2] | able=a policy=start | ('Task.earned
            groups=0',)
        collect prompts: Prompt: examples=[0 1 2] | 1 of policy=#1 | no rewards
        choose prompt-0: well 1+1?; well 2+3?; well 4+4? | 2 or 5 or 8 by able=a
        artefact prompt.txt: well
        artefact start.txt:
        note there is no data.held_out, so nothing says whether the prompt helps on other examples
        return stage=1
        """,
    ),
    Scenario(
        "prompts/tempera",
        {
            "prompts": prompts("1?", CHAT, "3?", answer=["yes", "no", "yes"]),
            "pool": POOL,
            "held_out": prompts(SEVEN, "1?", answer=["no", "yes"]),
        },
        EDITS,
        {"speaker": doubtful, "states": STATES, "weights": {"able": "a", "wise": "w"}, "seeds": {("editor",): 17}},
        """
        embed pool: -> a=yes; -> b=no; -> c=yes | wise=w
        embed phrases: -> Be brief.; -> Be right! | wise=w
        embed queries: -> 1?; -> 2?; -> 3? | wise=w
        choose round-1-0: Be brief. Be right! a=yes b=no 1? | yes or no by able=a
        choose round-1-1: Be brief. Be right! c=yes b=no 1? | yes or no by able=a
        choose round-1-2: Be brief. Be right! b=no c=yes 1? | yes or no by able=a
        advance 1/2 | policy=start | reward=190 actions=[[2] [1]] values=[[1] [3]] how=[0.5 0.125 0.0625 0.25]
        choose round-2-0: 2? | yes or no by able=a
        choose round-2-1: 2? | yes or no by able=a
        choose round-2-2: 2? | yes or no by able=a
        advance 2/2 | policy=start | reward=0 actions=[[2] [1]] values=[[2] [4]] how=[0.5 0.125 0.0625 0.25]
        artefact editor: weights={made=[[[0.5 0.5] [0.25 0] [0 0.125]] [[3 3] [4 4]] 11 2 2 9 17]} examples=[[a yes]
            [b no] [c yes]] phrases=[Be brief. Be right!]
        embed held-out: -> 7?; -> 1? | wise=w
        artefact prompts: 7?=Be brief. Be right! b=no c=yes 1?=Be brief. Be right! b=no c=yes
        choose held-out-before: 7?; Be brief. Be right! a=yes b=no 1? | yes or no by able=a
        choose held-out-after: 7?; Be brief. Be right! b=no c=yes 1? | yes or no by able=a
        artefact held_out: before={mean=0 low=0 high=0.65762 n=2} after={mean=0.5 low=0.0945312 high=0.905469 n=2}
            difference={mean=0.5 low=-5.8531 high=6.8531 n=2 above=1 below=0 p_value=1}
        note held out: 0.0000 [0.0000, 0.6576] before, 0.5000 [0.0945, 0.9055] after; +0.5000 [-5.8531, +6.8531],
            above on 1 and below on 0 of 2, p = 1 (sign test)
        return reward=0 actions=[[2] [1]] values=[[2] [4]] how=[0.5 0.125 0.0625 0.25] held_out/before=0
            held_out/after=0.5 held_out/difference=0.5
        """,
        {"Editor": Editor, "learn": learned},
    ),
    Scenario(
        "prompts/tempera",
        {
            "prompts": prompts("1?", answer=["yes"]),
            "pool": POOL,
            "held_out": prompts(SEVEN, "1?", "1?", answer=["no", "yes", "yes"]),
        },
        {"labels": ("yes", "no"), "rounds": 1, "horizon": 1, "templates": ("{question}={answer}",)},
        {"speaker": doubtful, "states": STATES},
        """
        embed pool: -> a=yes; -> b=no; -> c=yes | policy=start
        embed queries: -> 1? | policy=start
        choose round-1-0: a=yes b=no c=yes 1? | yes or no by policy=start
        choose round-1-1: c=yes b=no a=yes 1? | yes or no by policy=start
        advance 1/1 | policy=start | reward=0 actions=[[2]] values=[[1]] how=[0.999 0.95 0.01 0.0006]
        artefact editor: weights={made=[[[0.5 0.5] [0.25 0] [0 0.125]] [] 4 3 1 64 63627948940737312]} examples=[[a
            yes] [b no] [c yes]] phrases=[]
        embed held-out: -> 7?; -> 1? | policy=start
        artefact prompts: 7?=c=yes b=no a=yes 1?=c=yes b=no a=yes
        choose held-out-before: 7?; a=yes b=no c=yes 1? | yes or no by policy=start
        choose held-out-after: 7?; c=yes b=no a=yes 1? | yes or no by policy=start
        artefact held_out: before={mean=0 low=0 high=0.65762 n=2} after={mean=0 low=0 high=0.65762 n=2}
            difference={mean=0 low=0 high=0 n=2 above=0 below=0 p_value=1}
        note held out: 0.0000 [0.0000, 0.6576] before, 0.0000 [0.0000, 0.6576] after; +0.0000 [+0.0000, +0.0000],
            above on 0 and below on 0 of 2, p = 1 (sign test)
        return reward=0 actions=[[2]] values=[[1]] how=[0.999 0.95 0.01 0.0006] held_out/before=0 held_out/after=0
            held_out/difference=0
        """,
        {"Editor": Editor, "learn": learned},
    ),
)
