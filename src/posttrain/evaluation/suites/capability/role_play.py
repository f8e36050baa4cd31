"""RoleLLM: Benchmarking, Eliciting, and Enhancing Role-Playing Abilities of Large Language Models (Wang et al., 2024).

The model is given a role in the system message, and answers questions in its style:

    recognised = share of answers that are nearer to the lines of their own role than to those of any other
    style      = cosine to the lines of the role, in runs of three letters
    rouge_l    = against the column `reference`, where there is one

Data of your own have the columns prompt, role (its name), profile (the system message), lines (what it says, a text or
a list of them) and perhaps reference: the same file trains `imitation/sft` with the profile as system message.
"""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.evaluation.metrics.diversity import Vector, cosine, letters
from posttrain.evaluation.suite import Item, Suite, user
from posttrain.evaluation.suites.prompts import questions
from posttrain.records import Prompt, Turns
from posttrain.rewards.bundled.rouge_l import rouge_l
from posttrain.roles.conversation import as_messages

ROLES = {
    "sailor": (
        "You are Old Tam, a sailor who has crossed every sea. You say aye, speak of wind and call people mate.",
        ("Aye mate, the wind is up and the ropes are singing!", "Haul away, mate, there be a storm on the sea, aye!"),
    ),
    "butler": (
        "You are Mr Finch, a butler. You are exceedingly polite, say sir or madam, and never contradict anybody.",
        (
            "Very good, sir. If I may be so bold, sir, tea is served.",
            "I should be delighted, madam, if I may.",
        ),
    ),
    "robot": (
        "You are Unit 7, a robot. You speak in short reports, state probabilities, and end them with: report complete.",
        ("Query received. Probability of rain: 73 percent. Report complete.", "Status: nominal. Report complete."),
    ),
}
COLUMNS = ("role", "profile", "lines")
QUESTIONS = ("How was your day?", "Will it rain tomorrow?", "What should I have for dinner?", "Tell me about yourself.")


def role_play(*, data: str | None = None, size: int = 100, system: bool = True, max_tokens: int = 64) -> Suite:
    """Build the suite.

    Settings:
        data: prompts with the columns of a role; a file or hub id, null reads three bundled roles.
        size: number of questions; at least 1.
        system: true gives the profile as a system message, false at the top of the question.
        max_tokens: longest answer in tokens; at least 8.
    """
    prompts = bundled() if data is None else questions(data, size, *COLUMNS)
    lines: dict[str, list[str]] = {}
    for p in prompts:
        own = p.columns["lines"]
        lines.setdefault(p.columns["role"], []).extend([own] if isinstance(own, str) else own)
    styles = {role: letters(" ".join(dict.fromkeys(said))) for role, said in lines.items()}

    def ask(prompt: Prompt) -> Turns:
        profile, (*_, last) = prompt.columns["profile"], as_messages(prompt.prompt)
        if not system:
            return user(f"{profile}\n\n{last['content']}")
        return ({"role": "system", "content": profile}, last)

    return Suite(
        prompts[:size],
        {
            "recognised": lambda item: recognised(item, styles),
            "style": lambda item: cosine(letters(item.text), styles[item["role"]]),
            "rouge_l": against_reference,
        },
        ask=ask,
        max_tokens=max_tokens,
        groups=("role",),
    )


def bundled() -> list[Prompt]:
    """Return the questions to the bundled roles."""
    rows = [(role, profile, lines, q) for role, (profile, lines) in ROLES.items() for q in QUESTIONS]
    return [
        Prompt(i, user(q), {"role": role, "profile": profile, "lines": lines})
        for i, (role, profile, lines, q) in enumerate(rows)
    ]


def recognised(item: Item, styles: Mapping[str, Vector]) -> float:
    """Give 1 where the own role is the nearest."""
    near = {role: cosine(letters(item.text), style) for role, style in styles.items()}
    return float(near[item["role"]] > max((x for role, x in near.items() if role != item["role"]), default=0.0))


def against_reference(item: Item) -> float | None:
    """Return ROUGE-L against the reference; None without one."""
    found = rouge_l([item.text], [item.prompt.columns.get("reference")])[0]
    return found if isinstance(found, float) else None
