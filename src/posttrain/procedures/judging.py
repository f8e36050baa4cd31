"""What a pool of judges says of pairs of answers: probabilities, and the pairs in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from posttrain.judges.options import OPTIONS, in_both_orders, preference
from posttrain.records import Episode, Pair, Record
from posttrain.seeds import SEEDS, seed_for
from posttrain.training.session import Session
from posttrain.turns import answer_text, last_user_message

Range = tuple[float, float]
WHOLE: Range = (0.0, 1.0)
EVEN = 0.5


def labelled(
    session: Session,
    name: str,
    pairs: Sequence[Pair],
    *,
    judges: Sequence[str],
    question: str,
    principles: Sequence[str] = (),
    reason: str = "",
    clamp: Range = WHOLE,
    flip: float = 0.0,
) -> list[Pair]:
    """Return the pairs as the judges order them, with the probability of that order as the column `agreement`.

    A judge and a principle are drawn for each pair. `reason`: a request to think, whose answer the judge reads before
    it chooses. `clamp`: bounds of the probabilities. `flip`: share of the pairs whose label is turned around.
    """
    found: list[Pair] = []
    for judge in judges:
        own = [p for p in pairs if drawn(session, name, "judge", p, judges) == judge]
        asked = [
            request
            for p in own
            for request in in_both_orders(
                question,
                last_user_message(p.prompt),
                answer_text(p.chosen),
                answer_text(p.rejected),
                principle=drawn(session, name, "principle", p, principles or ("",)),
            )
        ]
        if own:
            said = probabilities(session, f"{name}-{judge}", judge, asked, reason)
            found += [
                ordered(p, turned(session, name, p, preference(a, b), flip), judge, clamp)
                for p, a, b in zip(own, said[::2], said[1::2], strict=True)
            ]
    return found


def drawn(session: Session, name: str, what: str, p: Pair, pool: Sequence[str]) -> str:
    """Return one of a pool, chosen by the id of a pair and the seed of the run."""
    return pool[seed_for(session.seed(name, what), p.id) % len(pool)]


def probabilities(session: Session, name: str, judge: str, asked: Sequence[str], reason: str) -> list[list[float]]:
    """Return the probabilities of the options; with `reason` after the judge's own thoughts."""
    if reason:
        thoughts = session.ask(f"{name}-reasons", judge, [user(f"{text}\n{reason}") for text in asked])
        asked = [f"{text}\n{thought}\n" for text, (thought,) in zip(asked, thoughts, strict=True)]
    return session.choose(name, judge, [user(text) for text in asked], OPTIONS)


def user(text: str) -> tuple[dict[str, str]]:
    """Return a conversation of one message."""
    return ({"role": "user", "content": text},)


def turned(session: Session, name: str, p: Pair, win: float, share: float) -> float:
    """Return 1 - win for a `share` of all pairs, which their ids and the seed of the run choose."""
    return 1 - win if seed_for(session.seed(name, "flip"), p.id) < share * SEEDS else win


def ordered(p: Pair, win: float, judge: str, clamp: Range = WHOLE) -> Pair:
    """Return the pair with the likelier answer first, the probability of this order and who said so."""
    low, high = clamp
    known = min(max(win, low), high)
    columns = {**p.columns, "agreement": max(known, 1 - known), "annotator": judge}
    chosen, rejected = (p.chosen, p.rejected) if win >= EVEN else (p.rejected, p.chosen)
    return replace(p, chosen=chosen, rejected=rejected, columns=columns)


def sure(pairs: Iterable[Record]) -> list[Pair]:
    """Return pairs that people labelled, with an agreement of 1 where they say none."""
    return [replace(p, columns={"agreement": 1.0, **p.columns}) for p in pairs if isinstance(p, Pair)]


def with_opponent(one: Episode, other: Episode) -> Episode:
    """Return an answer whose prompt holds the other's text, for the judge to compare it with."""
    columns = {**one.prompt.columns, "opponent": other.text}
    return replace(one, prompt=replace(one.prompt, columns=columns))
