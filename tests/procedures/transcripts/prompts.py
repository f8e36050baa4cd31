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


def court(role: str, asked: str) -> str:
    """Answers with the number of `well` in the prompt; a judge gives points for it, a writer adds one."""
    kind, _, text = asked.partition("|")
    if role == "able":
        return f"{asked.count('well')}."
    if kind == "select":
        return "wit, Depth" if "1+1" in text else "clarity"
    if kind == "judge":
        n = 1 + int(text.split("|")[1][0])
        return f"wit: {n}\ndepth: {n + 1}\nclarity: {n}" if n < 7 else "great"
    present = text.split("|")[0]
    return "" if present.count("well") == 2 and "2+3?" in text else f"<prompt>{present} well</prompt>"


def contest(role: str, asked: str) -> Any:
    """Answers with the number of lines; a judge prefers more of them, and the first answer a little."""
    if role in ("able", "policy"):
        return str(asked.count("\n"))
    _, one, other = asked.split("|")
    first = 0.6 + 0.125 * (int(one) - int(other))
    return [first, 1 - first]


ROLES = {"able": "a", "poet": "p", "fair": "f"}
TRIAL = {
    "solver": "able",
    "judge": "fair",
    "writer": "poet",
    "select": "select|{question}|{aspects}",
    "question": "judge|{question}|{answer}|{aspects}",
    "request": "improve|{prompt}|{past}|{question}|{answer}|{judgement}",
}


def completed(_: str, asked: str) -> str:
    """Completes a fitness below 30 by the middle of the grid, others by nothing that can be read."""
    return "50, 50" if float(asked.splitlines()[-1][8:-1]) < 30 else "?"


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
        "prompts/drpo",
        {"prompts": prompts("1+1?", "2+3?"), "held_out": OTHERS},
        {
            "start": "Add",
            "rounds": 3,
            "width": 2,
            "actions": 2,
            "enough": 3.75,
            "extra": 1,
            "remember": 1,
            "aspects": ("depth", "width"),
            **TRIAL,
        },
        {"speaker": court, "weights": ROLES},
        """
        evolve drpo from {"test": 0, "prompt": "Add"} | path_beam rounds=3 width=2 branching=2 enough=3.75 extra=1
        ask drpo-0-answer at 0: Add 1+1? | 1 of able=a
        ask drpo-aspects-0 at 0: select|1+1?|depth, width | 1 of fair=f
        ask drpo-0-judge at 0: judge|1+1?|0.|wit, depth | 1 of fair=f
        ask drpo-write-1: improve|Add||1+1?|0.|wit: 1 depth: 2 clarity: 1 | 1 of poet=p
        ask drpo-write-2: improve|Add||1+1?|0.|wit: 1 depth: 2 clarity: 1 | 1 of poet=p
        ask drpo-1-answer at 0: Add well 2+3? | 1 of able=a
        ask drpo-aspects-1 at 0: select|2+3?|depth, width | 1 of fair=f
        ask drpo-1-judge at 0: judge|2+3?|1.|clarity, depth | 1 of fair=f
        ask drpo-write-3: improve|Add well|Add|2+3?|1.|wit: 2 depth: 3 clarity: 2 | 1 of poet=p
        ask drpo-write-4: improve|Add well|Add|2+3?|1.|wit: 2 depth: 3 clarity: 2 | 1 of poet=p
        ask drpo-3-answer at 0: Add well well 1+1? | 1 of able=a
        ask drpo-3-judge at 0: judge|1+1?|2.|wit, depth | 1 of fair=f
        ask drpo-write-5: improve|Add well well|Add well|1+1?|2.|wit: 3 depth: 4 clarity: 3 | 1 of poet=p
        ask drpo-write-6: improve|Add well well|Add well|1+1?|2.|wit: 3 depth: 4 clarity: 3 | 1 of poet=p
        ask drpo-5-answer at 0: Add well well well 2+3? | 1 of able=a
        ask drpo-5-judge at 0: judge|2+3?|3.|clarity, depth | 1 of fair=f
        candidate 0 by given: {"test": 0, "prompt": "Add"} | fitness 1.5
        candidate 1 by improve: {"test": 1, "prompt": "Add well"} | fitness 2.5
        candidate 2 by improve: {"test": 1, "prompt": "Add well"} | fitness 2.5
        candidate 3 by improve: {"test": 2, "prompt": "Add well well"} | fitness 3.5
        candidate 4 by improve: {"test": 2, "prompt": "Add well well"} | fitness 3.5
        candidate 5 by improve: {"test": 3, "prompt": "Add well well well"} | fitness 4.5
        candidate 6 by improve: {"test": 3, "prompt": "Add well well well"} | fitness 4.5
        artefact prompt.txt: Add well well well
        artefact start.txt: Add
        ask held-out-before-0-answer at 0: Add 9+9? | 1 of able=a
        ask held-out-aspects-0 at 0: select|9+9?|depth, width | 1 of fair=f
        ask held-out-before-0-judge at 0: judge|9+9?|0.|clarity, depth | 1 of fair=f
        ask held-out-after-0-answer at 0: Add well well well 9+9? | 1 of able=a
        ask held-out-after-0-judge at 0: judge|9+9?|3.|clarity, depth | 1 of fair=f
        artefact held_out: before={mean=1.5 low=1.5 high=1.5 n=1} after={mean=4.5 low=4.5 high=4.5 n=1}
            difference={mean=3 low=None high=None n=1 above=1 below=0 p_value=1}
        note held out: 1.5000 [1.5000, 1.5000] before, 4.5000 [4.5000, 4.5000] after; +3.0000 [-inf, +inf], above on 1
            and below on 0 of 1, p = 1 (sign test)
        return fitness/best=4.5 fitness/round_best=4.5 fitness/round_mean=4.5 proposals=2 proposals/unreadable=0
            proposals/repeated=1 proposals/failed=0 held_out/before=1.5 held_out/after=4.5 held_out/difference=3
        """,
    ),
    Scenario(
        "prompts/drpo",
        {"prompts": prompts("1+1?", "2+3?")},
        {"rounds": 3, "width": 1, "actions": 1, "remember": 0, **TRIAL},
        {"speaker": court, "weights": ROLES},
        """
        evolve drpo from {"test": 0, "prompt": "You are a helpful assistant."} | path_beam rounds=3 width=1
            branching=1 enough=4.5 extra=10
        ask drpo-0-answer at 0: You are a helpful assistant. 1+1? | 1 of able=a
        ask drpo-aspects-0 at 0: select|1+1?|helpfulness, clarity, factuality, depth, engagement, conciseness,
            creativity, relevance, coherence, honesty about limits, harmlessness, respect, privacy, practical use | 1
            of fair=f
        ask drpo-0-judge at 0: judge|1+1?|0.|wit, depth | 1 of fair=f
        ask drpo-write-1: improve|You are a helpful assistant.||1+1?|0.|wit: 1 depth: 2 clarity: 1 | 1 of poet=p
        ask drpo-1-answer at 0: You are a helpful assistant. well 2+3? | 1 of able=a
        ask drpo-aspects-1 at 0: select|2+3?|helpfulness, clarity, factuality, depth, engagement, conciseness,
            creativity, relevance, coherence, honesty about limits, harmlessness, respect, privacy, practical use | 1
            of fair=f
        ask drpo-1-judge at 0: judge|2+3?|1.|clarity, helpfulness | 1 of fair=f
        ask drpo-write-2: improve|You are a helpful assistant. well||2+3?|1.|wit: 2 depth: 3 clarity: 2 | 1 of poet=p
        ask drpo-2-answer at 0: You are a helpful assistant. well well 1+1? | 1 of able=a
        ask drpo-2-judge at 0: judge|1+1?|2.|wit, depth | 1 of fair=f
        ask drpo-write-3: improve|You are a helpful assistant. well well||1+1?|2.|wit: 3 depth: 4 clarity: 3 | 1 of
            poet=p
        ask drpo-3-answer at 0: You are a helpful assistant. well well well 2+3? | 1 of able=a
        ask drpo-3-judge at 0: judge|2+3?|3.|clarity, helpfulness | 1 of fair=f
        candidate 0 by given: {"test": 0, "prompt": "You are a helpful assistant."} | fitness 1.5
        candidate 1 by improve: {"test": 1, "prompt": "You are a helpful assistant. well"} | fitness 2
        candidate 2 by improve: {"test": 2, "prompt": "You are a helpful assistant. well well"} | fitness 3.5
        candidate 3 by improve: {"test": 3, "prompt": "You are a helpful assistant. well well well"} | fitness 4
        artefact prompt.txt: You are a helpful assistant. well well well
        artefact start.txt: You are a helpful assistant.
        note there is no data.held_out, so nothing says whether the prompt helps on other examples
        return fitness/best=4 fitness/round_best=4 fitness/round_mean=4 proposals=1 proposals/unreadable=0
            proposals/repeated=0 proposals/failed=0
        """,
    ),
    Scenario(
        "prompts/drpo",
        {"prompts": prompts("1+1?")},
        {"start": "well well well well well well", "rounds": 1, **TRIAL},
        {"speaker": court, "weights": ROLES},
        """
        evolve drpo from {"test": 0, "prompt": "well well well well well well"} | path_beam rounds=1 width=2
            branching=3 enough=4.5 extra=10
        ask drpo-0-answer at 0: well well well well well well 1+1? | 1 of able=a
        ask drpo-aspects-0 at 0: select|1+1?|helpfulness, clarity, factuality, depth, engagement, conciseness,
            creativity, relevance, coherence, honesty about limits, harmlessness, respect, privacy, practical use | 1
            of fair=f
        ask drpo-0-judge at 0: judge|1+1?|6.|wit, depth | 1 of fair=f
        candidate 0 by given: {"test": 0, "prompt": "well well well well well well"} | no fitness
        artefact prompt.txt: well well well well well well
        artefact start.txt: well well well well well well
        note there is no data.held_out, so nothing says whether the prompt helps on other examples
        return fitness/best=nan fitness/round_best=nan fitness/round_mean=nan proposals=1 proposals/unreadable=0
            proposals/repeated=0 proposals/failed=1
        """,
    ),
    Scenario(
        "prompts/drpo",
        {},
        {"planted": ("well",), "request": "improve|{prompt}|{past}|{question}", "rounds": 1, "width": 1, "extra": 0},
        {"speaker": court, "weights": {"speaker": "s"}},
        """
        note planted sentences stand in for the examples and for the model that answers them
        evolve drpo from {"test": 0, "prompt": "You are a helpful assistant."} | path_beam rounds=1 width=1
            branching=3 enough=4.5 extra=0
        ask drpo-write-1: improve|You are a helpful assistant.|| | 1 of speaker=s
        ask drpo-write-2: improve|You are a helpful assistant.|| | 1 of speaker=s
        ask drpo-write-3: improve|You are a helpful assistant.|| | 1 of speaker=s
        candidate 0 by given: {"test": 0, "prompt": "You are a helpful assistant."} | fitness 1
        candidate 1 by improve: {"test": 1, "prompt": "You are a helpful assistant. well"} | fitness 5
        candidate 2 by improve: {"test": 1, "prompt": "You are a helpful assistant. well"} | fitness 5
        candidate 3 by improve: {"test": 1, "prompt": "You are a helpful assistant. well"} | fitness 5
        artefact prompt.txt: You are a helpful assistant. well
        artefact start.txt: You are a helpful assistant.
        artefact held_out: before={mean=0 low=0 high=0.793451 n=1} after={mean=1 low=0.206549 high=1 n=1}
            difference={mean=1 low=None high=None n=1 above=1 below=0 p_value=1}
        note held out: 0.0000 [0.0000, 0.7935] before, 1.0000 [0.2065, 1.0000] after; +1.0000 [-inf, +inf], above on 1
            and below on 0 of 1, p = 1 (sign test)
        return fitness/best=5 fitness/round_best=5 fitness/round_mean=5 proposals=3 proposals/unreadable=0
            proposals/repeated=2 proposals/failed=0 held_out/before=0 held_out/after=1 held_out/difference=1
        """,
    ),
    Scenario(
        "prompts/evollm",
        {},
        {
            "function": "rosenbrock",
            "dimensions": 3,
            "start": 0.5,
            "rounds": 2,
            "population": 2,
            "sigma": 0.25,
            "remember": 1,
            "members": 1,
            "low": -2.0,
            "high": 2.0,
            "bins": 100,
            "block": 1,
            "writer": "poet",
        },
        {"speaker": lambda role, asked: "50" if asked.count(",") == 0 else "?", "weights": {"poet": "p"}},
        """
        evolve evollm from | generations rounds=2 population=2
        ask evollm-1-0: fitness 3.483: 66 fitness 3.48: | 1 of poet=p
        ask evollm-1-1: fitness 3.483: 65 fitness 3.48: | 1 of poet=p
        ask evollm-1-2: fitness 3.483: 58 fitness 3.48: | 1 of poet=p
        candidate 0 by member: [0.6544152865350631, 0.6059363919972527, 0.34441916323738364] | fitness -3.48334
        candidate 1 by member: [0.4539091446554405, 0.7027118554838148, 0.471088365721067] | fitness -25.1071
        candidate 2 by member: [-0.3050916478091496, 0.1686963365331777, -0.14933100081346443] | fitness -6.12701
        candidate 3 by member: [-0.28755032635185795, 0.09386968261819728, -0.2731243301694649] | fitness -10.4401
        ask evollm-2-0: fitness 6.127: 42 fitness 6.121: | 1 of poet=p
        ask evollm-2-1: fitness 6.127: 54 fitness 6.121: | 1 of poet=p
        ask evollm-2-2: fitness 6.127: 46 fitness 6.121: | 1 of poet=p
        artefact solution: mean=[0.02 0.02 0.02] fitness=1.99763 best=[0.6544152865350631, 0.6059363919972527,
            0.34441916323738364]
        return fitness/best=-3.48334 fitness/round_best=-6.12701 fitness/round_mean=-8.28358 proposals=2
            proposals/unreadable=0 proposals/repeated=0 proposals/failed=0 mean_fitness=-1.99763
        """,
    ),
    Scenario(
        "prompts/evollm",
        {},
        {"rounds": 2, "population": 3, "recombine": "weighted"},
        {"speaker": completed},
        """
        evolve evollm from | generations rounds=2 population=3
        candidate 0 by member: [2.1235322292280503, 2.0847491135978022] | fitness -8.85557
        candidate 1 by member: [1.9631273157243525, 2.162169484387052] | fitness -8.52885
        candidate 2 by member: [1.7399266817526802, 2.1189570692265423] | fitness -7.51732
        candidate 3 by member: [1.4938864206711937, 2.1780528153211] | fitness -6.97561
        candidate 4 by member: [1.5582340934743664, 2.4620684158573702] | fitness -8.48987
        candidate 5 by member: [1.9457870658025003, 2.1004735215820256] | fitness -8.19808
        artefact solution: mean=[1.49389 2.17805] fitness=6.97561 best=[1.4938864206711937, 2.1780528153211]
        return fitness/best=-6.97561 fitness/round_best=-6.97561 fitness/round_mean=-7.88785 proposals=3
            proposals/unreadable=0 proposals/repeated=0 proposals/failed=0 mean_fitness=-6.97561
        """,
    ),
    Scenario(
        "prompts/evollm",
        {},
        {"rounds": 2},
        {"speaker": completed, "weights": {"speaker": "s"}},
        """
        evolve evollm from | generations rounds=2 population=8
        ask evollm-1-0: fitness 8.796: 803, 890 fitness 8.792: 867, 830 fitness 8.529: 827, 860 fitness 7.517: 789,
            853 fitness 7.316: 792, 843 fitness 7.168: | 1 of speaker=s
        candidate 0 by member: [2.1235322292280503, 2.0847491135978022] | fitness -8.85557
        candidate 1 by member: [1.9631273157243525, 2.162169484387052] | fitness -8.52885
        candidate 2 by member: [1.7399266817526802, 2.1189570692265423] | fitness -7.51732
        candidate 3 by member: [1.7539597389185135, 2.059095746094558] | fitness -7.31625
        candidate 4 by member: [1.8183074117216862, 2.3431113466308275] | fitness -8.79641
        candidate 5 by member: [2.2058603840498203, 1.9815164523554833] | fitness -8.79223
        candidate 6 by member: [2.1071376561094626, 2.3760792486576743] | fitness -10.0858
        candidate 7 by member: [2.172698702726996, 2.306543354645565] | fitness -10.0408
        candidate 8 by member: [-2.6195923255161535, -2.7460645386859137] | fitness -14.4031
        candidate 9 by member: [-2.9564290480303286, -2.8335213695926753] | fitness -16.7693
        candidate 10 by member: [-2.6498873383609434, -2.425493023975135] | fitness -12.9049
        candidate 11 by member: [-2.933464299698949, -2.5993702992264955] | fitness -15.3619
        candidate 12 by member: [-2.8165865400695616, -2.747100322435525] | fitness -15.4797
        candidate 13 by member: [-2.7381567953274906, -2.8159453701014328] | fitness -15.4271
        candidate 14 by member: [-2.639719080133104, -2.7982980648624998] | fitness -14.7986
        candidate 15 by member: [-2.9310604603559067, -2.3063221892340895] | fitness -13.9102
        ask evollm-2-0: fitness 15.36: 11, 66 fitness 14.8: 60, 33 fitness 14.4: 63, 42 fitness 13.91: 11, 115 fitness
            12.9: 58, 95 fitness 8.796: 803, 890 fitness 8.792: 867, 830 fitness 8.529: 827, 860 fitness 7.517: 789,
            853 fitness 7.316: 792, 843 fitness 6.512: | 1 of speaker=s
        artefact solution: mean=[-2.697 -2.697] fitness=14.5476 best=[1.7539597389185135, 2.059095746094558]
        return fitness/best=-7.31625 fitness/round_best=-12.9049 fitness/round_mean=-14.8819 proposals=8
            proposals/unreadable=0 proposals/repeated=0 proposals/failed=0 mean_fitness=-14.5476
        """,
    ),
    Scenario(
        "prompts/principles",
        {"prompts": prompts("1?", CHAT, "1?")},
        {
            "names": ("format", "role"),
            "given": {"role": "Bo"},
            "solver": "able",
            "judge": "fair",
            "question": "{prompt}|{first}|{second}",
        },
        {"speaker": contest, "weights": ROLES},
        """
        ask plain at 0: 1?; 2? | 1 of able=a
        ask format at 0: ###Instruction### 1? ###Answer###; ###Instruction### 2? ###Answer### | 1 of able=a
        choose format-judged: 1?|2|0; 1?|0|2; 2?|2|0; 2?|0|2 | A or B by fair=f
        advance 1/2 | policy=start | win/format=0.75
        ask role at 0: You are Bo. 1?; You are Bo. 2? | 1 of able=a
        choose role-judged: 1?|1|0; 1?|0|1; 2?|1|0; 2?|0|1 | A or B by fair=f
        advance 2/2 | policy=start | win/role=0.625
        artefact principles: format={mean=0.75 low=0.75 high=0.75 n=2} role={mean=0.625 low=0.625 high=0.625 n=2}
        note format wins most often: 0.7500 [0.7500, 0.7500]
        return win/format=0.75 win/role=0.625
        """,
    ),
    Scenario(
        "prompts/principles",
        {"prompts": prompts("1?")},
        {"names": ("tip",), "question": "{prompt}|{first}|{second}"},
        {"speaker": contest, "weights": {"judge": "j"}},
        """
        ask plain at 0: 1? | 1 of policy=start
        ask tip at 0: 1? I will tip $200 for a better solution. | 1 of policy=start
        choose tip-judged: 1?|1|0; 1?|0|1 | A or B by judge=j
        advance 1/1 | policy=start | win/tip=0.625
        artefact principles: tip={mean=0.625 low=0.625 high=0.625 n=1}
        note tip wins most often: 0.6250 [0.6250, 0.6250]
        return win/tip=0.625
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
        "prompts/rlprompt",
        {"prompts": prompts("1+1?", answer=["2"])},
        {"solver": "able", "draws": 1, "start": "Add"},
        {
            "answers": {"prompts": {"Prompt:": ["silent"]}},
            "speaker": lambda role, asked: solver(asked),
            "scores": right,
            "weights": {"able": "a"},
        },
        """
        train online/rlprompt on 'requests': Prompt: examples=[0] | able=a policy=start | ('Task.earned groups=0',)
        collect prompts: Prompt: examples=[0] | 1 of policy=#1 | no rewards
        ask prompt-0 at 0 to 64: silent 1+1? | 1 of able=a
        score prompt-0-scores: 1+1? | rewards
        artefact prompt.txt: Add
        artefact start.txt: Add
        note there is no data.held_out, so nothing says whether the prompt helps on other examples
        return stage=1
        """,
    ),
    Scenario(
        "prompts/rlprompt",
        {"prompts": prompts("1+1?", answer=["2"])},
        {"solver": "able", "draws": 2},
        {
            "answers": {"prompts": {"Prompt:": ["x", "well"]}},
            "speaker": lambda role, asked: solver(asked),
            "scores": right,
            "weights": {"able": "a"},
        },
        """
        train online/rlprompt on 'requests': Prompt: examples=[0] | able=a policy=start | ('Task.earned groups=0',)
        collect prompts: Prompt: examples=[0] | 2 of policy=#1 | no rewards
        ask prompt-0 at 0 to 64: x 1+1? | 1 of able=a
        score prompt-0-scores: 1+1? 0 | rewards
        ask prompt-1 at 0 to 64: well 1+1? | 1 of able=a
        score prompt-1-scores: 1+1? 2 | rewards
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
