"""Beyond Scalar Reward Model: Learning Generative Judge from Preference Data (Ye et al., 2024).

Con-J: the policy judges labelled pairs several times in words. Judgements that end with the right verdict are
preferred to those that end with a wrong one, or with none, and DPO learns from them to judge. Hints at the right and
at the wrong answer make one contrast of each pair where its own judgements have none.

    j+, j- ~ π(.|x, y_1, y_2)    verdict(j+) = label ≠ verdict(j-)        L = L_DPO(j+ ≻ j- | x, y_1, y_2)

The order in which answers are shown is drawn for each pair, which takes the preference for a position away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.judges.options import filled
from posttrain.records import Episode, Pair, Prompt
from posttrain.seeds import seed_for
from posttrain.selection.answers import dataset, with_prompts
from posttrain.selection.pairs import pair
from posttrain.selection.prompts import asking
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message

JUDGE = (
    "Compare two answers to a question and say why one is better.\n<question>\n{prompt}\n</question>\n"
    '<answer_A>\n{first}\n</answer_A>\n<answer_B>\n{second}\n</answer_B>\nConclude with "Verdict: A" or "Verdict: B".'
)


def con_j(
    session: Session,
    pairs: Dataset,
    *,
    judge: str = JUDGE,
    pattern: str = "Verdict: ([AB])",
    verdicts: tuple[str, str] = ("A", "B"),
    hint: str = "\n(Answer {verdict} is better.)",
    samples: int = 8,
    most: int = 3,
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Judgements of each pair, with hints and without -> right ones against wrong ones -> DPO.

    Settings:
        judge: request for a judgement; any text, where {prompt}, {first} and {second} are filled in.
        pattern: regular expression of the verdict; any with 1 group that holds it, of which the last match counts.
        verdicts: names of the first and the second answer in verdicts; any two texts that differ.
        hint: text at the end of the request; any with {verdict} in it, empty makes no judgements with hints.
        samples: judgements of each pair; at least 2, 8 in the paper.
        most: contrasts of right and wrong judgements of each pair; at least 1, 3 in the paper.
        method: name of the method that trains the judge; any that reads pairs, such as preference/simpo.
        dpo: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    asked = [as_question(session, p, judge, verdicts) for p in pairs if isinstance(p, Pair)]
    judged = session.collect("judgements", asked, session.sampling(samples=samples), rewards=())
    contrasts = contrasted(judged, pattern, most)
    if hint:
        one = replace(session.sampling(), samples=1)
        hinted: list[Episode] = []
        for name in ("right", "wrong"):
            told = [replace(p, columns={**p.columns, "verdict": p.columns[name]}) for p in asked]
            answers = session.collect(f"hinted-{name}", asking(told, hint), one, rewards=())
            hinted += with_prompts(answers, asked)
        contrasts += contrasted(hinted, pattern, 1)
    session.copy("policy", "reference")
    return session.train(method, dataset(contrasts, "judgements"), rewards=(), **dpo)


def as_question(session: Session, p: Pair, judge: str, verdicts: tuple[str, str]) -> Prompt:
    """Return the request to judge a pair in an order that is drawn, and both verdicts as columns."""
    right = seed_for(session.seed("order"), p.id) % 2
    texts = [answer_text(y) for y in (p.chosen, p.rejected)]
    first, second = texts[::-1] if right else texts
    text = filled(judge, prompt=last_user_message(p.prompt), first=first, second=second)
    turns = text if isinstance(p.prompt, str) else ({"role": "user", "content": text},)
    return Prompt(p.id, turns, {"right": verdicts[right], "wrong": verdicts[right == 0]}, p.where)


def contrasted(judged: Sequence[Episode], pattern: str, most: int) -> list[Pair]:
    """Return for each request `most` pairs of right and wrong judgements, and one of a right and an unreadable one."""
    found: list[Pair] = []
    for prompt in {r.prompt.id: r.prompt for r in judged}.values():
        own = [(r, re.findall(pattern, r.text)) for r in judged if r.prompt.id == prompt.id]
        right = [r for r, said in own if said and said[-1] == prompt.columns["right"]]
        wrong = [r for r, said in own if said and said[-1] == prompt.columns["wrong"]]
        silent = [r for r, said in own if not said]
        found += [pair(a, b) for a, b in zip(right[:most], wrong, strict=False)]
        found += [pair(a, b) for a, b in zip(right[:1], silent, strict=False)]
    return found
