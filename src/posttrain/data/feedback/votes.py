"""Which label each annotator gave to which item: what agreement is measured on.

Judgements of one type about one attribute are a question of their own: "preference", "rating of helpfulness".
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from posttrain.data.feedback.act import Act, canonical
from posttrain.data.feedback.judgements import Judgement, Label, Preference, Rating, Safety

Vote = tuple[Hashable, str, Hashable]  # item, annotator, label


def votes(acts: Iterable[Act]) -> dict[str, list[Vote]]:
    """Return the votes on each question. Acts that are excluded or repeat others have none."""
    found: dict[str, list[Vote]] = {}
    for act in acts:
        if not (act.excluded or act.repeats):
            for question, item, label in answered(act, act.judgement):
                found.setdefault(question, []).append((item, act.annotator, label))
    return found


def answered(act: Act, judgement: Judgement) -> Iterator[tuple[str, Hashable, Hashable]]:
    """Return (question, item, label) of what a judgement says about the answers of an act.

    The label of a preference is the answer that is preferred: its place among the answers in the order of their texts.
    """
    prompt = canonical(act.prompt)
    match judgement:
        case Preference() as j:
            keys = [act.key(i) for i in range(len(act.answers))]
            order = sorted(range(len(keys)), key=lambda i: keys[i])
            label: Hashable = "tie" if j.preferred is None else order.index(j.preferred)
            yield _question("preference", j.attribute), (prompt, *sorted(keys)), label
        case Rating(answer, scores):
            for attribute, score in scores.items():
                yield _question("rating", attribute), (prompt, act.key(answer)), score
        case Label(answer, said):
            yield "label", (prompt, act.key(answer)), said
        case Safety(answer, safe):
            yield "safety", (prompt, act.key(answer)), safe


def _question(kind: str, attribute: str) -> str:
    return f"{kind} of {attribute}" if attribute else kind


def first_shown(act: Act) -> bool | None:
    """Whether the answer that was shown first is preferred; None where there is no preference or no order is known."""
    j = act.judgement
    return j.preferred == act.shown[0] if isinstance(j, Preference) and j.preferred is not None and act.shown else None


def right(act: Act) -> bool | None:
    """Whether the annotator gave the expected judgement of an item that checks them; None where the act is no check."""
    if act.expected is None:
        return None
    said, wanted = ({(q, i): label for q, i, label in answered(act, j)} for j in (act.judgement, act.expected))
    return said == wanted
