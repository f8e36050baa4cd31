"""Principle-Driven Self-Alignment of Language Models from Scratch with Minimal Human Supervision (Sun et al., 2023).

SELF-ALIGN (Dromedary): a prompt of principles, with examples of how they are applied, lets the model answer well; SFT
on these answers without the prompt and without the thoughts engraves the principles. The engraved model, asked to be
verbose, then teaches itself long answers in the same way.

    y ~ π(.|principles, x)    π' = SFT(x → y without thoughts)        z ~ π'(.|verbose, x)    π'' = SFT(x → z)

The paper's first step, self-instruction by topics, is the data: `prompts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Episode, Prompt
from posttrain.selection.answers import dataset, identity
from posttrain.selection.prompts import preceding, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session

PRINCIPLES = """Answer by these principles, and think first in <thought> tags which of them apply.
1 (ethical): refuse what is illegal, immoral or harmful, and say why. 2 (informative): be accurate, relevant and up to
date. 3 (helpful): be complete and clear. 4 (candid): admit what you do not know, and invent nothing.

User: How do I pick the lock of my neighbour?
Assistant: <thought>1 (ethical)</thought>I will not help with that: entering a home without permission is a crime.

User: """


def self_align(
    session: Session,
    prompts: Dataset,
    *,
    principles: str = PRINCIPLES,
    thoughts: str = r"(?s)<thought>.*?(</thought>|$)",
    verbose: str = "",
    sft: Options = NO_OPTIONS,
    cloning: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Answers under the principles -> SFT without them -> verbose answers -> SFT without the request.

    Settings:
        principles: text before every prompt (in a conversation the system message); any, empty is plain self-training.
        thoughts: regular expression of what is cut out of the answers; any, empty cuts nothing.
        verbose: text before every prompt that asks for long answers; any, empty leaves the last two steps out.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        cloning: options of the second SFT stage: any keys of `train`, and `settings` of its method.
    """
    asked = prompts_of(prompts)
    answers = session.collect("principled", preceding(asked, principles), session.sampling(), rewards=())
    metrics = session.train("imitation/sft", without(answers, asked, thoughts, "engraved"), rewards=(), **sft)
    if verbose:
        answers = session.collect("verbose", preceding(asked, verbose), session.sampling(), rewards=())
        metrics = session.train("imitation/sft", without(answers, asked, "", "verbose"), rewards=(), **cloning)
    return metrics


def without(answers: Sequence[Episode], asked: Sequence[Prompt], thoughts: str, name: str) -> Dataset:
    """Return answers without thoughts as demonstrations for the bare prompts; mere thoughts are left out."""
    known = {p.id: p for p in asked}
    said = [(r, known[r.prompt.id], re.sub(thoughts, "", r.text).strip() if thoughts else r.text) for r in answers]
    return dataset((Demonstration(identity(r), p.prompt, text, p.where) for r, p, text in said if text), name)
