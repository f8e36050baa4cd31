"""A model of a run as a speaker: questions in words, answers that are kept so that nothing is asked twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from posttrain.errors import ConfigError
from posttrain.learners.speaker import Question, Scripted, Speaker
from posttrain.records import Turns
from posttrain.roles.endpoint import EndpointRole
from posttrain.roles.protocol import TextRole
from posttrain.runs.pieces import Pieces
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from posttrain.training.run import Run

Ask = Callable[[Sequence[Question]], list[Any]]


def speaker(run: Run, role: str) -> Speaker:
    """Return who speaks in a role of the run file. Says so in a note where it is a script."""
    entry = run.file.models.get(role)
    if entry is None and role != "policy":
        raise ConfigError(
            f"models.{role}: there is nobody to ask; name a model, {{endpoint: {{model: ...}}}}, or "
            f"models: {{{role}: {{scripted: {{accuracy: 0.9}}}}}} to try without one"
        )
    if entry is not None and entry.scripted is not None:
        run.display.note(
            f"models.{role}: a script that is right with probability {entry.scripted.accuracy:g} stands in for a "
            "language model"
        )
        return Scripted(entry.scripted.accuracy, seed_for(run.file.seed, role, entry.scripted.seed))
    folder = run.journal.folder
    about = role if entry is None else entry.model_dump_json()
    file = None if folder is None else folder / "kept" / f"speaker-{role}.jsonl"
    changes = entry is None or entry.shared
    return RoleSpeaker(
        run.speaker("policy" if changes else role),
        Kept(file),
        max_tokens=run.file.sampling.max_tokens,
        about=lambda: f"{about} {run.journal.steps}" if changes else about,
    )


class Kept:
    """Replies by what was asked, in memory and, where there is a file, on disk before anything else happens."""

    def __init__(self, file: Path | None) -> None:
        self.pieces = Pieces(file, {"kept": "replies by what was asked"})
        self.replies: dict[str, Any] = dict(self.pieces.known)

    def add(self, asked: str, reply: Any) -> None:
        """Keep a reply."""
        self.replies[asked] = reply
        self.pieces.add([asked, reply])


class RoleSpeaker(Speaker):
    """A text role that answers questions. `about`: identifies the model; with another one the replies are new.

    A model in this process is asked how probable it finds each option. A server is asked for a reply that names one;
    options that it could not tell apart by their first letter are lettered.
    """

    def __init__(self, role: TextRole, kept: Kept, *, max_tokens: int, about: Callable[[], str]) -> None:
        self.role = role
        self.kept = kept
        self.max_tokens = max_tokens
        self.about = about
        self.remote = isinstance(role, EndpointRole)

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        if self.remote:
            return self._each("answer", questions, self._replied)
        chosen = iter(self.probabilities(own := [q for q in questions if q.options]))
        written = iter(self._each("answer", [q for q in questions if not q.options], self._replied))
        likeliest = iter(None if p is None else q.options[p.index(max(p))] for q, p in zip(own, chosen, strict=True))
        return [next(likeliest) if q.options else next(written) for q in questions]

    def probabilities(self, questions: Sequence[Question]) -> list[tuple[float, ...] | None]:
        each = self._each("probabilities", questions, self._chosen)
        return [None if p is None else tuple(p) for p in each]

    def _replied(self, questions: Sequence[Question]) -> list[Any]:
        replies: dict[int, str] = {}
        for draw in dict.fromkeys(q.draw for q in questions):
            own = [i for i, q in enumerate(questions) if q.draw == draw]
            asked = [_conversation(questions[i], lettered(questions[i])) for i in own]
            temperature = 1.0 if draw else 0.0
            said = self.role.ask(asked, max_tokens=self.max_tokens, temperature=temperature, seed=draw)
            replies |= {i: reply[0] for i, reply in zip(own, said, strict=True)}
        return [read(q, replies[i]) for i, q in enumerate(questions)]

    def _chosen(self, questions: Sequence[Question]) -> list[Any]:
        marks = [lettered(q) if self.remote else () for q in questions]
        asked = [_conversation(q, mark) for q, mark in zip(questions, marks, strict=True)]
        options = [mark or q.options for q, mark in zip(questions, marks, strict=True)]
        return list(self.role.choose(asked, options)) if asked else []

    def _each(self, what: str, questions: Sequence[Question], ask: Ask) -> list[Any]:
        """Ask what is not known yet, all of it together."""
        draws = [[q.draw] if q.draw else [] for q in questions]
        keys = [
            json.dumps([what, self.about(), q.text, *q.options, *draw], ensure_ascii=False)
            for q, draw in zip(questions, draws, strict=True)
        ]
        new = {k: q for k, q in zip(keys, questions, strict=True) if k not in self.kept.replies}
        for key, reply in zip(new, ask([*new.values()]) if new else (), strict=True):
            self.kept.add(key, reply)
        return [self.kept.replies[key] for key in keys]


def lettered(question: Question) -> tuple[str, ...]:
    """Letters for the options, where their own first letters do not tell them apart; () else."""
    first = {option.lstrip()[:1].casefold() for option in question.options}
    if len(first) == len(question.options):
        return ()
    if len(question.options) > len(ascii_uppercase):
        raise ConfigError(f"{len(question.options)} options to one question; a server is asked about 26 at most")
    return tuple(ascii_uppercase[: len(question.options)])


def read(question: Question, reply: str) -> str | None:
    """Return the option that a reply begins with, or the text of a free reply; None where there is none or several."""
    text = reply.strip()
    if not question.options:
        return text or None
    said = text.casefold()
    if exact := [o for o in question.options if o.casefold() == said.rstrip(".!")]:
        return exact[0]
    letters = lettered(question)
    marks = [mark.casefold() for mark in letters or question.options]
    found = [
        option
        for mark, option in zip(marks, question.options, strict=True)
        if said.startswith(mark) and _ends(said[len(mark) :], option.casefold() if letters else "")
    ]
    return found[0] if len(found) == 1 else None


def _ends(rest: str, option: str) -> bool:
    """Whether a mark ends where `rest` follows it. Words behind a letter must be its option: `A good idea` is none."""
    if rest[:1].isspace() and option:
        return rest.lstrip(" \n-(").startswith(option)
    return not rest[:1].isalnum()


def _conversation(question: Question, marks: tuple[str, ...]) -> Turns:
    options = [f"{m}. {o}" for m, o in zip(marks, question.options, strict=True)] if marks else list(question.options)
    ending = f"\n\nAnswer with one of these{' letters' if marks else ''}:\n" + "\n".join(options) if options else ""
    return ({"role": "user", "content": question.text + ending},)
