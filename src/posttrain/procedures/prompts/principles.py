"""Principled Instructions Are All You Need for Questioning LLaMA-1/2, GPT-3.5/4 (Bsharat et al., 2023).

A comparison of ways to ask: a model answers each question as it is and as a principle asks it, and a judge compares the
two answers in both orders, so that a preference for a position cancels. Of a conversation the last message of the user
is the question, and nothing else is asked.

    win(principle) = mean over the questions of ½ [P(A | principle, plain) + P(B | plain, principle)]

Equal answers give exactly one half. Every principle gets an interval; with 26 of them one is outside of it by chance.
The wins are the artefact `principles`.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.evaluation.summary import Summary, summary
from posttrain.judges.options import COMPARE, OPTIONS, in_both_orders, preference
from posttrain.procedures.judging import user
from posttrain.procedures.prompting import plain
from posttrain.search.prompts.principles import PRINCIPLES, ways
from posttrain.selection.prompts import prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import last_user_message


def principles(
    session: Session,
    prompts: Dataset,
    *,
    names: tuple[str, ...] = tuple(PRINCIPLES),
    given: Options = NO_OPTIONS,
    solver: str = "policy",
    judge: str = "judge",
    question: str = COMPARE,
) -> dict[str, float]:
    """Answer plainly -> for each principle: answer as it asks, and compare in both orders.

    Settings:
        names: names of the principles to compare; any of those of search/prompts/principles.py.
        given: what they need besides the question: any of audience, role, word, tip, examples, requirements, ...
        solver: name of the model that answers; any of `models`, or policy.
        judge: name of the model that compares; any of `models`, or policy.
        question: request to compare; any text, where {prompt}, {first} and {second} are filled in.
    """
    compared = ways(names, given)
    texts, found = [last_user_message(p.prompt) for p in prompts_of(prompts)], dict[str, Summary]()
    known = [said for (said,) in session.ask("plain", solver, [user(t) for t in texts], temperature=0.0)]
    for n, (name, way) in enumerate(compared.items(), 1):
        said = [text for (text,) in session.ask(name, solver, [user(way(t)) for t in texts], temperature=0.0)]
        pairs = zip(texts, said, known, strict=True)
        both = [user(r) for t, one, other in pairs for r in in_both_orders(question, t, one, other)]
        chosen = session.choose(f"{name}-judged", judge, both, OPTIONS)
        wins = (preference(a, b) for a, b in zip(chosen[::2], chosen[1::2], strict=True))
        found[name] = summary(dict(enumerate(wins)))
        session.advance(n, len(compared), {f"win/{name}": found[name].mean})
    session.artefact("principles", {name: plain(x) for name, x in found.items()})
    best = max(found, key=lambda name: found[name].mean)
    session.note(f"{best} wins most often: {found[best]}")
    return {f"win/{name}": x.mean for name, x in found.items()}
