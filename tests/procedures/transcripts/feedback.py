"""What the procedures in feedback do, with scripted speakers of known biases."""

from __future__ import annotations

import re

from posttrain.data.dataset import Dataset
from posttrain.records import Pair, Prompt
from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import pairs
from tests.procedures.transcripts.scenario import Scenario

ASK = "{principle}{prompt} {first}|{second}"
QUALITY = {"good": 0.9, "fair": 0.6, "even": 0.6, "poor": 0.2}


def first_is_better(role, text):
    """A judge who knows the quality of answers and prefers the first place by 0.1."""
    one, other = re.split(r"[ |]", text.splitlines()[0])[-2:]
    win = 0.5 + (QUALITY[one] - QUALITY[other]) / 2 + 0.1
    return [win, 1 - win]


def thinking(role, text):
    return f"{role} thinks" if text.endswith("Why?") else first_is_better(role, text)


def in_a_circle(role, text):
    """Whether the first answer is better than the second: a beats b, b beats c, and c beats a; e beats d."""
    yes = {"ab": 0.6, "bc": 0.9, "ca": 0.7, "ed": 0.8}
    two = text.split()[1]
    win = yes[two] if two in yes else 1 - yes[two[::-1]]
    return [win, 1 - win]


ANSWERS = {
    "answers": {
        "x?": {"poor": 0, "good": 0},
        "y?": {"fair": 0, "even": 0},
        "z?": [("good", 0), ("good", 0), ("poor", 0)],
        "u?": {"fair": 0, "good": 0, "poor": 0},
        "t?": [("fair", 0), ("fair", 0)],
        "chat: c?": {"good": 0, "fair": 0},
    }
}


def holds(role, text):
    """Whether an answer says a word: the judge is nearly sure."""
    answer, word = text.split("|")
    yes = 0.75 if word in answer else 0.25
    return [yes, 1 - yes]


def pointing(role, text):
    """What a reason says of a part: kindness is praised, rudeness is blamed, length a little."""
    blamed = {"rude": 0.75, "Long!": 0.3}
    return next(([0.0, x, 1 - x] for word, x in blamed.items() if word in text), [0.75 * ("ind" in text), 0.0, 0.25])


XYZ = prompts("x?", "y?", "z?")
CHAT = ({"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hi?"}, {"role": "user", "content": "c?"})
FIVE = Dataset((*prompts("x?", "y?", "z?", "u?", "t?"), Prompt(9, CHAT, {}, "file:9")), "five")

CONSTITUTIONAL = {
    f"{what}-{n}": {
        f"{q}?\nAnswer: {q}{n - 1}\n{before}{request}": {f"{q}{n if what == 'revisions' else ' is bad'}": 0}
        for q in "xyz"
        for request in requests
    }
    for n in (1, 2)
    for what, before, requests in (
        ("critiques", "", ("What is bad?", "What is untrue?")),
        ("revisions", "Critique: {q} is bad\n", ("Be good!", "Be true!")),
    )
}
CONSTITUTIONAL = {
    name: {text.replace("{q}", text[0]): said for text, said in answers.items()}
    for name, answers in CONSTITUTIONAL.items()
}


def said(text):
    return ({"role": "assistant", "content": text},)


LABELLED = Dataset(
    (
        *pairs(("w?", "good", "poor"), ("v?", "poor", "fair"), ("u?", "fair", "fair"), ("s?", "poor", "even")),
        Pair(7, CHAT, said("good"), said("even"), {}, "file:7"),
    ),
    "labelled",
)
RED_TEAM = Dataset((*prompts("bad?", "worse?", "worst?", "x?"), Prompt(4, CHAT, {}, "file:4")), "red team")
QUESTIONS = (
    ("w?", "good", "poor"), ("v?", "poor", "fair"), ("u?", "fair", "fair"), ("s?", "poor", "even"),
    ("chat: c?", "good", "even"),
)  # fmt: skip
SHOWN = [(q, f"{q} {one}|{other}") for q, a, b in QUESTIONS for one, other in ((a, b), (b, a))]
SAID = ("I think =1", "=2. No: =1", "=1!", "=2", "=2!", "=2.", "Well", "Hm")
JUDGED = {
    "judgements": {text: dict.fromkeys(SAID if q != "chat: c?" else ("=3", "=1"), 0) for q, text in SHOWN},
    **{
        f"hinted-{name}": {
            f"{text} ({verdict} wins.)": {f"={verdict if q != 'v?' else '1'}": 0}
            for q, text in SHOWN
            for verdict in "12"
        }
        for name in ("right", "wrong")
    },
}


def harm(role, text):
    """Judges harm, rewrites what is harmful, and compares by quality without a bias."""
    if text.endswith("harmful?"):
        return {"bad? how": [0.9, 0.1], "worst? same": [0.8, 0.2], "x? even": [0.5, 0.5], "c? poor": [0.7, 0.3]}.get(
            text[:-9], [0.2, 0.8]
        )
    if text.endswith("better!"):
        return "same" if "same" in text else f"mild {text.split()[0]}"
    if "{" in text or "harmful" in text:
        return [0.1, 0.9]
    one, other = (QUALITY[t] for t in re.split(r"[ |]", text)[-2:])
    return [0.5 + (one - other) / 2, 0.5 - (one - other) / 2]


def grading(role, text):
    """Grades answers by their quality, but errs where the question is v?."""
    quality = {"v? poor": 6, "v? fair": 9}.get(text) or int(10 * QUALITY[text.split()[-1]])
    if text.startswith("u?"):
        return "Score: 5"
    return f"{text} is fine" if text.startswith("s?") else ("Score: 5", f"Not score: 1, but Score: {quality}")


FEEDBACK = (
    Scenario(
        "feedback/rlaif",
        {"prompts": XYZ},
        {"control": "teacher", "sft": {"steps": 2}, "reward": {"steps": 3}, "then": {"steps": 3}},
        {"speaker": lambda role, text: f"{role}'s {text}"},
        """
        ask demonstrations: x?; y?; z? | 1 of teacher=given
        train imitation/sft on 'answers of teacher': x? -> teacher's x?; y? -> teacher's y?; z? -> teacher's z?
            | policy=start | no rewards | steps=2
        return stage=1
        """,
    ),
    Scenario(
        "feedback/rlaif",
        {"prompts": XYZ},
        {"question": ASK, "reward": {"steps": 2}, "then": {"steps": 3}},
        {"answers": ANSWERS, "speaker": first_is_better},
        """
        collect answers: x?; y?; z? | 2 of policy=start | no rewards
        choose labels-judge: x? poor|good; x? good|poor; y? fair|even; y? even|fair; z? good|poor; z? poor|good
            | A or B by judge=given
        train reward/soft_labels on 'labels': x?: good > poor agreement=0.85 annotator=judge; y?: fair > even
            agreement=0.5 annotator=judge; z?: good > poor agreement=0.85 annotator=judge | policy=start
            reference=start reward=start | no rewards | steps=2
        train online/ppo on 'prompts': x?; y?; z? | critic=#1 policy=start reference=start reward=#1 | no
            rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "feedback/rlaif",
        {"prompts": FIVE, "pairs": pairs(("w?", "p", "q"), ("v?", "r", "s"), agreement=[1.0, 0.75])},
        {
            "question": ASK,
            "judges": ("ann", "bob"),
            "principles": ("Be kind. ", "Be true. "),
            "reason": "Why?",
            "clamp": (0.4, 0.6),
            "method": "online/remax",
        },
        {"answers": ANSWERS, "speaker": thinking},
        """
        collect answers: x?; y?; z?; u?; t?; chat: c? | 2 of policy=start | no rewards
        ask labels-ann-reasons: Be kind. y? fair|even Why?; Be kind. y? even|fair Why?; Be kind. z? good|poor
            Why?; Be kind. z? poor|good Why? | 1 of ann=given
        choose labels-ann: Be kind. y? fair|even ann thinks ; Be kind. y? even|fair ann thinks ; Be kind. z?
            good|poor ann thinks ; Be kind. z? poor|good ann thinks | A or B by ann=given
        ask labels-bob-reasons: Be kind. x? poor|good Why?; Be kind. x? good|poor Why?; Be true. u? fair|good
            Why?; Be true. u? good|fair Why?; Be kind. c? good|fair Why?; Be kind. c? fair|good Why? | 1 of
            bob=given
        choose labels-bob: Be kind. x? poor|good bob thinks ; Be kind. x? good|poor bob thinks ; Be true. u?
            fair|good bob thinks ; Be true. u? good|fair bob thinks ; Be kind. c? good|fair bob thinks ; Be
            kind. c? fair|good bob thinks | A or B by bob=given
        train reward/soft_labels on 'labels of people and models': w?: p > q agreement=1; v?: r > s
            agreement=0.75; y?: fair > even agreement=0.5 annotator=ann; z?: good > poor agreement=0.6
            annotator=ann; x?: good > poor agreement=0.6 annotator=bob; u?: good > fair agreement=0.6
            annotator=bob; chat: c?: good > fair agreement=0.6 annotator=bob | policy=start reference=start
            reward=start | no rewards
        train online/remax on 'five': x?; y?; z?; u?; t?; chat: c? | critic=#1 policy=start reference=start
            reward=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "feedback/rlaif",
        {"prompts": FIVE, "pairs": pairs(("w?", "p", "q"))},
        {
            "question": ASK,
            "judges": ("policy",),
            "flip": 0.5,
            "reward_model": False,
            "method": "preference/dpo",
            "then": {"steps": 1},
        },
        {"answers": ANSWERS, "speaker": first_is_better},
        """
        collect answers: x?; y?; z?; u?; t?; chat: c? | 2 of policy=start | no rewards
        choose labels-policy: x? poor|good; x? good|poor; y? fair|even; y? even|fair; z? good|poor; z?
            poor|good; u? fair|good; u? good|fair; c? good|fair; c? fair|good | A or B by policy=start
        train preference/dpo on 'labels of people and models': w?: p > q agreement=1; x?: good > poor
            agreement=0.85 annotator=policy; y?: fair > even agreement=0.5 annotator=policy; z?: good > poor
            agreement=0.85 annotator=policy; u?: good > fair agreement=0.65 annotator=policy; chat: c?: fair >
            good agreement=0.65 annotator=policy | policy=start reference=start | no rewards | steps=1
        return stage=1
        """,
    ),
    Scenario(
        "feedback/constitutional",
        {"prompts": XYZ, "pairs": pairs(("w?", "p", "q"), agreement=[0.75])},
        {
            "revisions": 2,
            "criticise": ("What is bad?", "What is untrue?"),
            "revise": ("Be good!", "Be true!"),
            "judges": ("ann",),
            "question": ASK,
            "principles": ("Be kind. ", "Be honest. "),
            "reason": "Why?",
            "clamp": (0.3, 0.7),
            "sft": {"steps": 1},
            "reward": {"steps": 2},
            "then": {"steps": 3},
        },
        {
            "answers": {
                "drafts": {"x?": {"x0": 0}, "y?": {"y0": 0}, "z?": {"z0": 0}},
                **CONSTITUTIONAL,
                "answers": {"x?": {"good": 0, "poor": 0}, "y?": {"good": 0}, "z?": {"fair": 0}},
            },
            "speaker": thinking,
            "samples": 2,
        },
        """
        collect drafts: x?; y?; z? | 1 of policy=start | no rewards
        collect critiques-1: x? Answer: x0 What is untrue?; y? Answer: y0 What is bad?; z? Answer: z0 What is
            bad? | 1 of policy=start | no rewards
        collect revisions-1: x? Answer: x0 Critique: x is bad Be true!; y? Answer: y0 Critique: y is bad Be
            good!; z? Answer: z0 Critique: z is bad Be good! | 1 of policy=start | no rewards
        collect critiques-2: x? Answer: x1 What is untrue?; y? Answer: y1 What is bad?; z? Answer: z1 What is
            bad? | 1 of policy=start | no rewards
        collect revisions-2: x? Answer: x1 Critique: x is bad Be true!; y? Answer: y1 Critique: y is bad Be
            good!; z? Answer: z1 Critique: z is bad Be good! | 1 of policy=start | no rewards
        train imitation/sft on 'revisions': x? -> x2; y? -> y2; z? -> z2 | policy=start | no rewards | steps=1
        collect answers: x?; y?; z? | 2 of policy=#1 | no rewards
        ask labels-ann-reasons: Be honest. x? good|poor Why?; Be honest. x? poor|good Why? | 1 of ann=given
        choose labels-ann: Be honest. x? good|poor ann thinks ; Be honest. x? poor|good ann thinks | A or B by
            ann=given
        train reward/soft_labels on 'labels of people and models': w?: p > q agreement=0.75; x?: good > poor
            agreement=0.7 annotator=ann | policy=#1 reference=#1 reward=#1 | no rewards | steps=2
        train online/ppo on 'prompts': x?; y?; z? | critic=#2 policy=#1 reference=#1 reward=#2 | no rewards |
            steps=3
        return stage=3
        """,
    ),
    Scenario(
        "feedback/constitutional",
        {"prompts": prompts("x?", "y?", "z?", "x?")},
        {"revisions": 0, "question": ASK},
        {
            "answers": {
                "drafts": {"x?": {"x0": 0}, "y?": {"y0": 0}, "z?": {"z0": 0}},
                "answers": {"x?": {"good": 0, "poor": 0}, "y?": {"good": 0}, "z?": {"fair": 0}},
            },
            "speaker": lambda role, text: [1.0, 0.0] if text.endswith("good|poor") else [0.5, 0.5],
        },
        """
        collect drafts: x?; y?; z? | 1 of policy=start | no rewards
        train imitation/sft on 'revisions': x? -> x0; y? -> y0; z? -> z0 | policy=start | no rewards
        collect answers: x?; y?; z?; x? | 2 of policy=#1 | no rewards
        choose labels-policy: Choose the answer that is more honest and more helpful.x? good|poor; Choose the
            answer that is more honest and more helpful.x? poor|good; Choose the answer that a wise, ethical and
            polite person would more likely give.x? good|poor; Choose the answer that a wise, ethical and polite
            person would more likely give.x? poor|good | A or B by policy=#1
        train reward/soft_labels on 'labels': x?: good > poor agreement=0.75 annotator=policy; x?: good > poor
            agreement=0.75 annotator=policy | policy=#1 reference=#1 reward=#1 | no rewards
        train online/ppo on 'prompts': x?; y?; z?; x? | critic=#2 policy=#1 reference=#1 reward=#2 | no rewards
        return stage=3
        """,
    ),
    Scenario(
        "feedback/hrlaif",
        {"prompts": FIVE, "red_team": RED_TEAM},
        {
            "judge": "ann",
            "question": ASK,
            "harmful": "{prompt} {answer} harmful?",
            "rewrite": "{prompt} {answer} better!",
            "method": "online/remax",
            "reward": {"steps": 2},
            "then": {"steps": 3},
        },
        {
            "answers": {
                "answers": {
                    "x?": {"poor": 1.0, "good": 0.0},
                    "y?": {"fair": 0.0, "poor": 1.0},
                    "z?": {"good": 1.0, "poor": 1.0},
                    "u?": {"good": 1.0, "poor": None},
                    "t?": {"poor": None, "fair": None},
                    "chat: c?": {"poor": None, "good": 1.0},
                },
                "attacked": {
                    "bad?": {"how": 0},
                    "worse?": {"no": 0},
                    "worst?": {"same": 0},
                    "x?": {"even": 0},
                    "chat: c?": {"poor": 0},
                },
            },
            "speaker": harm,
        },
        """
        collect answers: x?; y?; z?; u?; t?; chat: c? | 2 of policy=start | rewards
        choose labels-ann: z? good|poor; z? poor|good; u? good|poor; u? poor|good; t? poor|fair; t? fair|poor;
            c? poor|good; c? good|poor | A or B by ann=given
        collect attacked: bad?; worse?; worst?; x?; chat: c? | 1 of policy=start | no rewards
        choose harmful: bad? how harmful?; worse? no harmful?; worst? same harmful?; x? even harmful?; c? poor
            harmful? | yes or no by ann=given
        ask rewritten: bad? how better!; worst? same better!; c? poor better! | 1 of ann=given
        train reward/soft_labels on 'labels in stages': z?: good > poor agreement=0.85 annotator=ann; u?: good >
            poor agreement=0.85 annotator=ann; t?: fair > poor agreement=0.7 annotator=ann; chat: c?: good >
            poor agreement=0.85 annotator=ann; x?: poor > good agreement=1 annotator=verifier; y?: poor > fair
            agreement=1 annotator=verifier; bad?: mild bad? > how agreement=0.9 annotator=ann; chat: c?: mild c?
            > poor agreement=0.7 annotator=ann | policy=start reference=start reward=start | no rewards |
            steps=2
        train online/remax on 'prompts': x?; y?; z?; u?; t?; chat: c?; bad?; worse?; worst?; x?; chat: c? |
            critic=#1 policy=start reference=start reward=#1 | no rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "feedback/hrlaif",
        {"prompts": XYZ, "red_team": prompts("worse?")},
        {"question": ASK},
        {
            "answers": {
                "answers": {"x?": {"poor": 0.5, "good": 1.0}, "y?": {"poor": 1.0, "good": 1.0}, "z?": {"good": 1.0}},
                "attacked": {"worse?": {"no": 0}},
            },
            "speaker": harm,
        },
        """
        collect answers: x?; y?; z? | 2 of policy=start | rewards
        choose labels-judge: y? poor|good; y? good|poor | A or B by judge=given
        collect attacked: worse? | 1 of policy=start | no rewards
        choose harmful: Question: worse? Answer: no Is this answer harmful? Reply with yes or no alone. | yes or
            no by judge=given
        train reward/soft_labels on 'labels in stages': y?: good > poor agreement=0.85 annotator=judge; x?: good
            > poor agreement=1 annotator=verifier | policy=start reference=start reward=start | no rewards
        train online/ppo on 'prompts': x?; y?; z?; worse? | critic=#1 policy=start reference=start reward=#1 |
            no rewards
        return stage=2
        """,
    ),
    Scenario(
        "feedback/hrlaif",
        {"prompts": XYZ},
        {"question": ASK},
        {
            "answers": {"answers": {"x?": {"poor": 0.5, "good": 1.0}, "y?": {"poor": 1.0}, "z?": {"good": 1.0}}},
            "speaker": harm,
        },
        """
        collect answers: x?; y?; z? | 2 of policy=start | rewards
        train reward/soft_labels on 'labels in stages': x?: good > poor agreement=1 annotator=verifier |
            policy=start reference=start reward=start | no rewards
        train online/ppo on 'prompts': x?; y?; z? | critic=#1 policy=start reference=start reward=#1 | no
            rewards
        return stage=2
        """,
    ),
    Scenario(
        "feedback/self_align",
        {"prompts": FIVE},
        {"principles": "Be good. ", "verbose": "Be long. ", "sft": {"steps": 1}, "cloning": {"steps": 2}},
        {
            "answers": {
                "principled": {
                    "Be good. x?": {"<thought>1</thought> kind": 0},
                    "Be good. y?": {"plain": 0},
                    "Be good. z?": {"<thought>2": 0},
                    "Be good. u?": {"a <thought>3</thought>": 0},
                    "Be good. t?": {"true": 0},
                    "chat: c?": {"yes": 0},
                },
                "verbose": {
                    "Be long. x?": {" <thought>long</thought>": 0},
                    "Be long. y?": {"": 0},
                    "Be long. z?": {"longer": 0},
                    "Be long. u?": {"longest": 0},
                    "Be long. t?": {"endless": 0},
                    "chat: c?": {"and so on": 0},
                },
            },
        },
        """
        collect principled: Be good. x?; Be good. y?; Be good. z?; Be good. u?; Be good. t?; chat: c? | 1 of
            policy=start | no rewards
        train imitation/sft on 'engraved': x? -> kind; y? -> plain; u? -> a; t? -> true; chat: c? -> yes |
            policy=start | no rewards | steps=1
        collect verbose: Be long. x?; Be long. y?; Be long. z?; Be long. u?; Be long. t?; chat: c? | 1 of
            policy=#1 | no rewards
        train imitation/sft on 'verbose': x? -> <thought>long</thought>; z? -> longer; u? -> longest; t? ->
            endless; chat: c? -> and so on | policy=#1 | no rewards | steps=2
        return stage=2
        """,
    ),
    Scenario(
        "feedback/self_align",
        {"prompts": prompts("x?", "x?", "y?")},
        {"principles": "Be good. ", "thoughts": ""},
        {"answers": {"principled": {"Be good. x?": {" <thought>1</thought>": 0}, "Be good. y?": {"": 0}}}},
        """
        collect principled: Be good. x?; Be good. y? | 1 of policy=start | no rewards
        train imitation/sft on 'engraved': x? -> <thought>1</thought> | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "feedback/rlcd",
        {"prompts": prompts("x?", "y?", "z?", "x?")},
        {
            "encourage": (" kind", " true"),
            "discourage": (" rude", " false"),
            "method": "online/remax",
            "reward": {"steps": 1},
            "then": {"steps": 2},
        },
        {
            "answers": {
                "encouraged": {t: {f"{t[:1]}+": 0} for q in "xyz" for t in (f"{q}? kind", f"{q}? true")},
                "discouraged": {
                    t: {f"{t[:1]}{'+' if q == 'z' else '-'}": 0} for q in "xyz" for t in (f"{q}? rude", f"{q}? false")
                },
            }
        },
        """
        collect encouraged: x? kind; y? kind; z? true | 1 of policy=start | no rewards
        collect discouraged: x? rude; y? rude; z? false | 1 of policy=start | no rewards
        train reward/bradley_terry on 'contrasts': x?: x+ > x-; y?: y+ > y- | policy=start reference=start
            reward=start | no rewards | steps=1
        train online/remax on 'prompts': x?; y?; z?; x? | critic=#1 policy=start reference=start reward=#1 | no
            rewards | steps=2
        return stage=2
        """,
    ),
    Scenario(
        "feedback/almost",
        {"prompts": prompts("x?", "y?", "z?", "x?")},
        {
            "writers": ("base", "policy", "policy"),
            "examples": ("1+1=2 2+2=4 ", "1+1=2 ", ""),
            "shortest": 0.25,
            "candidates": 2,
            "method": "online/remax",
            "reward": {"steps": 1},
            "sft": {"steps": 2},
            "then": {"steps": 3},
        },
        {
            "answers": {
                "writer-1": {f"1+1=2 2+2=4 {q}": {a: 0} for q, a in {"x?": "best", "y?": "b", "z?": "a"}.items()},
                "writer-2": {f"1+1=2 {q}": {a: 0} for q, a in {"x?": "fine", "y?": "fine", "z?": "same"}.items()},
                "writer-3": {q: {a: 0} for q, a in {"x?": "eightfold", "y?": "bb", "z?": "twofold!"}.items()},
                "candidates": {"x?": {"c": 0.1, "d": 0.7}, "y?": {"e": 0.6, "f": 0.5}, "z?": {"g": 1.0}},
            },
            "weights": {"base": "old"},
        },
        """
        collect writer-1: 1+1=2 2+2=4 x?; 1+1=2 2+2=4 y?; 1+1=2 2+2=4 z? | 1 of base=old | no rewards
        collect writer-2: 1+1=2 x?; 1+1=2 y?; 1+1=2 z? | 1 of policy=start | no rewards
        collect writer-3: x?; y?; z? | 1 of policy=start | no rewards
        train reward/bradley_terry on 'assumed': x?: best > fine; x?: best > eightfold; x?: fine > eightfold;
            y?: b > fine; y?: b > bb; y?: fine > bb; z?: a > same; z?: same > twofold! | base=old policy=start
            reward=start | no rewards | steps=1
        collect candidates: x?; y?; z?; x? | 2 of policy=start | row_score of base=old policy=start reward=#1
        train imitation/sft on 'best of the candidates': x? -> d; y? -> e; z? -> g; x? -> d | base=old
            policy=start reward=#1 | no rewards | steps=2
        train online/remax on 'prompts': x?; y?; z?; x? | base=old critic=#1 policy=#2 reference=#2 reward=#1 |
            no rewards | steps=3
        return stage=3
        """,
    ),
    Scenario(
        "feedback/almost",
        {"prompts": XYZ},
        {"writers": ("policy",), "examples": ("1+1=2 ", "", "")},
        {},
        """
        ConfigError: almost: 1 writers and 3 examples; give each writer a text, or ''
        """,
    ),
    Scenario(
        "feedback/west_of_n",
        {"prompts": FIVE, "pairs": pairs(("w?", "p", "q"))},
        {"n": 3, "surest": 0.5, "reward": {"steps": 1}, "again": {"steps": 2}},
        {
            "answers": {
                "answers": {
                    "x?": {"a": 0.1, "b": 0.9, "c": 0.5},
                    "y?": {"d": 0.2, "e": 0.3},
                    "z?": {"f": -1.0, "g": 3.0},
                    "u?": {"h": 0.5, "i": 0.5},
                    "t?": {"j": 0.0, "k": 0.2},
                    "chat: c?": {"l": 1.0},
                }
            }
        },
        """
        train reward/bradley_terry on 'pairs': w?: p > q | policy=start reward=start | no rewards | steps=1
        collect answers: x?; y?; z?; u?; t?; chat: c? | 3 of policy=start | row_score of policy=start reward=#1
        train reward/bradley_terry on 'labelled and synthetic pairs': w?: p > q; z?: g > f; x?: b > a |
            policy=start reward=start | no rewards | steps=2
        return stage=2
        """,
    ),
    Scenario(
        "feedback/west_of_n",
        {"prompts": XYZ, "pairs": pairs(("w?", "p", "q"))},
        {"likeliest": 0.5},
        {"answers": {"answers": {"x?": {"a": 0.1, "b": 0.9}, "y?": {"d": 0.2, "e": 0.3}, "z?": {"f": -1.0, "g": 3.0}}}},
        """
        train reward/bradley_terry on 'pairs': w?: p > q | policy=start reward=start | no rewards
        collect answers: x?; y?; z? | 64 of policy=start | row_score of policy=start reward=#1
        train reward/bradley_terry on 'labelled and synthetic pairs': w?: p > q; x?: b > a | policy=start
            reward=start | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "feedback/code_pmp",
        {"prompts": XYZ, "pairs": pairs(("w?", "p", "q"))},
        {"strong": "policy", "weak": "base", "pretraining": {"steps": 1}, "reward": {"steps": 2}},
        {
            "answers": {
                "programs": {"x?": {"strong x": 0}, "y?": {"same": 0}, "z?": {"strong z": 0}},
                ("programs", 1): {"x?": {"weak x": 0}, "y?": {"same": 0}, "z?": {"weak z": 0}},
            },
            "weights": {"base": "old"},
        },
        """
        collect programs: x?; y?; z? | 1 of policy=start, 1 of base=old | no rewards
        train reward/pmp on 'strong and weak': x?: strong x > weak x; z?: strong z > weak z | base=old
            policy=start reward=start | no rewards | steps=1
        train reward/bradley_terry on 'pairs': w?: p > q | base=old policy=start reward=#1 | no rewards |
            steps=2
        return stage=2
        """,
    ),
    Scenario(
        "feedback/critic_rm",
        {"pairs": LABELLED},
        {"critic": "ann", "request": "{prompt} {answer}", "samples": 2, "reward": {"steps": 1}},
        {"speaker": grading},
        """
        ask critiques: w? good; w? poor; v? poor; v? fair; u? fair; u? fair; s? poor; s? even; c? good; c? even
            | 2 of ann=given
        note critiques agree with 3 of 5 labels
        train reward/critic_rm on 'pairs with critiques': w?: good Not score: 1, but Score: 9 > poor Not score:
            1, but Score: 2; v?: poor Not score: 1, but Score: 6 > fair Score: 5; chat: c?: good Not score: 1,
            but Score: 9 > even Score: 5, critiques: 'critiques': chat: w? good -> Not score: 1, but Score: 9;
            chat: w? poor -> Not score: 1, but Score: 2; chat: v? poor -> Not score: 1, but Score: 6; chat: v?
            fair -> Score: 5; chat: c? good -> Not score: 1, but Score: 9; chat: c? even -> Score: 5 |
            policy=start reward=start | no rewards | steps=1
        return stage=1
        """,
    ),
    Scenario(
        "feedback/critic_rm",
        {"pairs": pairs(("w?", "good", "poor"))},
        {"pattern": "=([0-9])"},
        {"speaker": lambda role, text: f"={len(text)}"[:2] + (" and =9" if "good" in text else " and =8")},
        """
        ask critiques: Criticise the answer to the question: does it follow the question, is it right, is it
            clear? End with a score from 1 to 10, as "Score: <number>". <question> w? </question> <answer> good
            </answer>; Criticise the answer to the question: does it follow the question, is it right, is it
            clear? End with a score from 1 to 10, as "Score: <number>". <question> w? </question> <answer> poor
            </answer> | 4 of policy=start
        note critiques agree with 1 of 1 labels
        train reward/critic_rm on 'pairs with critiques': w?: good =1 and =9 > poor =1 and =8, critiques:
            'critiques': chat: Criticise the answer to the question: does it follow the question, is it right,
            is it clear? End with a score from 1 to 10, as "Score: <number>". <question> w? </question> <answer>
            good </answer> -> =1 and =9; chat: Criticise the answer to the question: does it follow the
            question, is it right, is it clear? End with a score from 1 to 10, as "Score: <number>". <question>
            w? </question> <answer> poor </answer> -> =1 and =8 | policy=start reward=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "feedback/synthetic_critiques",
        {"pairs": LABELLED},
        {"critic": "ann", "request": "{prompt} {answer}", "reward": {"steps": 1}},
        {"speaker": lambda role, text: "" if text.endswith("even") else f"on {text}"},
        """
        ask critiques: w? good; w? poor; v? poor; v? fair; u? fair; u? fair; s? poor; s? even; c? good; c? even
            | 1 of ann=given
        train reward/bradley_terry on 'pairs with critiques': w?: good on w? good > poor on w? poor; v?: poor on
            v? poor > fair on v? fair; u?: fair on u? fair > fair on u? fair; s?: poor on s? poor > even; chat:
            c?: good on c? good > even | policy=start reward=start | no rewards | steps=1
        return stage=1
        """,
    ),
    Scenario(
        "feedback/con_j",
        {"pairs": LABELLED},
        {
            "judge": "{prompt} {first}|{second}",
            "pattern": "=([12])",
            "verdicts": ("1", "2"),
            "hint": " ({verdict} wins.)",
            "most": 2,
            "method": "preference/simpo",
            "dpo": {"steps": 1},
        },
        {"answers": JUDGED, "samples": 6},
        """
        collect judgements: w? poor|good; v? fair|poor; u? fair|fair; s? poor|even; chat: c? good|even | 6 of
            policy=start | no rewards
        collect hinted-right: w? poor|good (2 wins.); v? fair|poor (2 wins.); u? fair|fair (2 wins.); s?
            poor|even (1 wins.); chat: c? good|even (1 wins.) | 1 of policy=start | no rewards
        collect hinted-wrong: w? poor|good (1 wins.); v? fair|poor (1 wins.); u? fair|fair (1 wins.); s?
            poor|even (2 wins.); chat: c? good|even (2 wins.) | 1 of policy=start | no rewards
        train preference/simpo on 'judgements': w? poor|good: =2 > I think =1; w? poor|good: =2! > =2. No: =1;
            w? poor|good: =2 > Well; v? fair|poor: =2 > I think =1; v? fair|poor: =2! > =2. No: =1; v?
            fair|poor: =2 > Well; u? fair|fair: =2 > I think =1; u? fair|fair: =2! > =2. No: =1; u? fair|fair:
            =2 > Well; s? poor|even: I think =1 > =2; s? poor|even: =2. No: =1 > =2!; s? poor|even: I think =1 >
            Well; chat: c? good|even: =1 > =3; w? poor|good: =2 > =1; u? fair|fair: =2 > =1; s? poor|even: =1 >
            =2; chat: c? good|even: =1 > =2 | policy=start reference=start | no rewards | steps=1
        return stage=1
        """,
    ),
    Scenario(
        "feedback/con_j",
        {"pairs": pairs(("w?", "good", "poor"))},
        {"judge": "{prompt} {first}|{second}", "hint": "", "samples": 5},
        {"answers": {"judgements": {q: {"Verdict: A": 0, "Verdict: B": 0} for q in ("w? good|poor", "w? poor|good")}}},
        """
        collect judgements: w? poor|good | 5 of policy=start | no rewards
        train preference/dpo on 'judgements': w? poor|good: Verdict: B > Verdict: A | policy=start
            reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "feedback/pairwise_borda",
        {"prompts": prompts("x?", "y?")},
        {
            "rounds": 2,
            "samples": 3,
            "judge": "policy",
            "question": "{prompt} {first}{second}",
            "method": "preference/ipo",
            "dpo": {"steps": 1},
        },
        {
            "answers": {
                "round-1": {"x?": ["a", "b", "c"], "y?": ["d", "d"]},
                "round-2": {"x?": ["b", "a"], "y?": ["d", "e"]},
            },
            "speaker": in_a_circle,
        },
        # A circle: the softest defeat decides. Then a > b and e > d.
        """
        collect round-1: x?; y? | 3 of policy=start | no rewards
        choose judged-1: x? ab; x? ac; x? ba; x? bc; x? ca; x? cb | Yes or No by policy=start
        train preference/ipo on 'round 1': x?: b > c | policy=start reference=start | no rewards | steps=1
        collect round-2: x?; y? | 3 of policy=#1 | no rewards
        choose judged-2: x? ba; x? ab; y? de; y? ed | Yes or No by policy=#1
        train preference/ipo on 'round 2': x?: a > b; y?: e > d | policy=#1 reference=start | no rewards | steps=1
        return stage=2
        """,
    ),
    Scenario(
        "feedback/pairwise_borda",
        {"prompts": Dataset((Prompt(9, CHAT, {}, "file:9"),), "chat")},
        {},
        {"answers": {"round-1": {"chat: c?": ["a", "b"]}}, "speaker": lambda role, text: [0.3, 0.7]},
        # Neither is said to be better than the other, so that the first one stays first.
        """
        collect round-1: chat: c? | 4 of policy=start | no rewards
        choose judged-1: <question> c? </question> <answer_1> a </answer_1> <answer_2> b </answer_2>
            Is answer 1 better than answer 2? Reply with Yes or No alone.; <question> c? </question>
            <answer_1> b </answer_1> <answer_2> a </answer_2> Is answer 1 better than answer 2? Reply with Yes or No
            alone. | Yes or No by judge=given
        train preference/dpo on 'round 1': chat: c?: a > b | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "feedback/rbr",
        {
            "pairs": pairs(("p?", "sorry", "no"), ("q?", "no", "sorry rude"), ("r?", "fine", "rude")),
            "prompts": XYZ,
        },
        {
            "propositions": ("sorry", "rude"),
            "judge": "policy",
            "question": "{answer}|{proposition}",
            "margin": 0.02,
            "fit_rate": 0.1,
            "fit_steps": 5,
            "method": "online/reinforce",
            "then": {"steps": 4},
        },
        {"speaker": holds},
        """
        choose propositions: sorry|sorry; sorry|rude; no|sorry; no|rude; no|sorry; no|rude; sorry
            rude|sorry; sorry rude|rude; fine|sorry; fine|rude; rude|sorry; rude|rude | yes or no by
            policy=start
        note the rewards order 100% of 3 pairs with the rules, 50% without them
        artefact rule_weights: sorry=0.21888 rude=-0.297091
        train online/reinforce on 'prompts': x?; y?; z? | policy=start reference=start | ('rewards',
            'propositions model=policy weights={sorry=0.21888 rude=-0.297091}
            question={answer}|{proposition}') | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "feedback/rbr",
        {
            "pairs": pairs(
                ("p?", "a", "b"), ("q?", "b", "a"), chosen_reward=["2.5", 1.0], rejected_reward=[1.0, "0.75"]
            ),
            "prompts": XYZ,
        },
        {"propositions": ("a",), "judge": "policy", "question": "{answer}|{proposition}"},
        {"speaker": holds},
        """
        choose propositions: a|a; b|a; b|a; a|a | yes or no by policy=start
        note the rewards order 100% of 2 pairs with the rules, 100% without them
        artefact rule_weights: a=-1.10452
        train online/ppo on 'prompts': x?; y?; z? | policy=start reference=start | ('rewards',
            'propositions model=policy weights={a=-1.10452} question={answer}|{proposition}')
        return stage=1
        """,
    ),
    Scenario(
        "feedback/rbr",
        {"pairs": Dataset((Pair(7, CHAT, said("a"), said("b"), {}, "file:7"),), "pairs"), "prompts": XYZ},
        {"propositions": ("a",), "question": "{prompt} {answer}|{proposition}"},
        {"speaker": holds},
        """
        choose propositions: c? a|a; c? b|a | yes or no by judge=given
        note the rewards order 100% of 1 pairs with the rules, 50% without them
        artefact rule_weights: a=2.10243
        train online/ppo on 'prompts': x?; y?; z? | policy=start reference=start | ('rewards',
            'propositions model=judge weights={a=2.10243} question={prompt} {answer}|{proposition}')
        return stage=1
        """,
    ),
    Scenario(
        "feedback/predilect",
        {"pairs": pairs(("q?", "a", "b"), ("p?", "Kind. Long!", "rude\nodd"), reason=[None, "nice"])},
        {"reader": "policy", "question": "{which} {prompt} {reason} {part}", "least": 0.2, "reward": {"steps": 4}},
        {"speaker": pointing},
        """
        choose highlights: preferred p? nice Kind.; preferred p? nice Long!; other p? nice rude;
            other p? nice odd | A or B or C by policy=start
        note 3 of 4 parts are highlighted
        train reward/highlights on 'pairs with highlights': q?: a > b chosen_highlight=[]
            rejected_highlight=[]; p?: Kind. Long! > rude odd chosen_highlight=[{start=0 end=5
            value=0.75} {start=6 end=11 value=-0.3}] rejected_highlight=[{start=0 end=4
            value=-0.75}] | policy=start reward=start | no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "feedback/predilect",
        {"pairs": Dataset((Pair(7, CHAT, said("kind"), said("rude"), {"reason": 3}, "file:7"),), "pairs")},
        {},
        {"speaker": pointing},
        """
        choose highlights: A person compared two answers to a question and prefers one. Here is why,
            and a part of the preferred answer. <question> c? </question> <reason> 3 </reason>
            <part> kind </part> Does the reason praise what this part does (A), criticise it (B), or
            neither (C)? Reply with A, B or C alone.; A person compared two answers to a question
            and prefers one. Here is why, and a part of the other answer. <question> c? </question>
            <reason> 3 </reason> <part> rude </part> Does the reason praise what this part does (A),
            criticise it (B), or neither (C)? Reply with A, B or C alone. | A or B or C by
            judge=given
        note 2 of 2 parts are highlighted
        train reward/highlights on 'pairs with highlights': chat: c?: kind > rude
            chosen_highlight=[{start=0 end=4 value=0.75}] rejected_highlight=[{start=0 end=4
            value=-0.75}] | policy=start reward=start | no rewards
        return stage=1
        """,
    ),
)
