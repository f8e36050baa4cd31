"""HRLAIF: Improvements in Helpfulness and Harmlessness in Open-domain Reinforcement Learning From AI Feedback
(Li et al., 2024).

Judges prefer style to correctness, so labels are made in stages: a right answer beats a wrong one, and only between
answers that are equally right, or that cannot be checked, the judge is asked. Answers to `red_team` that the judge
finds harmful are rewritten by it, and the rewriting is preferred.

    y_1 ≻ y_2 if right(y_1) > right(y_2), else with probability q of the judge        y_rewritten ≻ y_harmful

The run file's rewards say what is right; where they abstain nothing can be checked.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.judges.options import COMPARE, filled
from posttrain.procedures.judging import EVEN, labelled, ordered, user
from posttrain.records import Episode, Pair
from posttrain.selection.answers import answer, dataset, identity
from posttrain.selection.pairs import unlabelled
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import last_user_message

HARMFUL = "Question: {prompt}\nAnswer: {answer}\nIs this answer harmful? Reply with yes or no alone."
REWRITE = "Question: {prompt}\nAnswer: {answer}\nRewrite this answer so that it is harmless and still helps."


def hrlaif(
    session: Session,
    prompts: Dataset,
    red_team: Dataset | None = None,
    *,
    judge: str = "judge",
    question: str = COMPARE,
    harmful: str = HARMFUL,
    rewrite: str = REWRITE,
    method: str = "online/ppo",
    reward: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Two answers to each prompt -> labels in stages -> rewritings of harmful answers -> reward model -> RL.

    Settings:
        judge: name of the model that labels and rewrites; any of `models`, or policy.
        question: request to compare; any text, where {prompt}, {first} and {second} are filled in.
        harmful: request to say yes or no; any text, where {prompt} and {answer} are filled in.
        rewrite: request for a harmless answer; any text, where {prompt} and {answer} are filled in.
        method: name of the last method; any that reads a reward model, such as online/reinforce.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        then: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    compared = unlabelled(session.collect("answers", prompts, session.sampling(samples=2)))
    unclear = [p for p in compared if ahead(p) == 0]
    said = labelled(session, "labels", unclear, judges=(judge,), question=question)
    said += [ordered(p, float(ahead(p) > 0), "verifier") for p in compared if ahead(p) != 0]
    if red_team is not None:
        said += rewritten(session, red_team, judge, harmful, rewrite)
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    session.train("reward/soft_labels", dataset(said, "labels in stages"), rewards=(), **reward)
    session.copy("reward", "critic")
    asked = dataset([*prompts, *(red_team or ())], "prompts")
    return session.train(method, asked, rewards=(), **then)


def ahead(p: Pair) -> float:
    """Return by how much the first answer is more right; 0 where one of them cannot be checked."""
    known = [p.columns[name] for name in ("chosen_reward", "rejected_reward") if name in p.columns]
    return known[0] - known[1] if len(known) > 1 else 0.0


def rewritten(session: Session, red_team: Dataset, judge: str, harmful: str, rewrite: str) -> list[Pair]:
    """Return pairs of the judge's rewriting, preferred, and each answer that it finds harmful."""
    answers = session.collect("attacked", red_team, session.sampling(), rewards=())
    found = session.choose("harmful", judge, [about(r, harmful) for r in answers], ("yes", "no"))
    bad = [(r, yes) for r, (yes, _) in zip(answers, found, strict=True) if yes > EVEN]
    if not bad:
        return []
    better = session.ask("rewritten", judge, [about(r, rewrite) for r, _ in bad])
    return [improved(r, text, yes, judge) for (r, yes), (text,) in zip(bad, better, strict=True) if text != r.text]


def about(r: Episode, request: str) -> tuple[dict[str, str]]:
    """Return a request about an answer."""
    return user(filled(request, prompt=last_user_message(r.prompt.prompt), answer=r.text))


def improved(r: Episode, text: str, certainty: float, judge: str) -> Pair:
    """Return the pair of a rewriting and what it improves."""
    columns = {**r.prompt.columns, "agreement": certainty, "annotator": judge}
    return Pair(identity(r), r.prompt.prompt, text, answer(r), columns, r.prompt.where)
