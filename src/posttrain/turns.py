"""What prompts, answers and turns say: the one place that knows which message of a conversation counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.records import TRAINED, Answer, Episode, Message, Sampled, Segment, Turns


def content(message: Message) -> str:
    """The text of one message. Parts that are not text, such as images, are left out."""
    parts = message.get("content") or ""
    if isinstance(parts, str):
        return parts
    return "".join(part.get("text", "") for part in parts if part.get("type", "text") == "text")


def last_message(turns: Turns) -> str:
    """Return plain text as it is, and of a conversation its last message, whoever speaks there."""
    if isinstance(turns, str):
        return turns
    return content(turns[-1]) if turns else ""


def last_user_message(turns: Turns) -> str:
    """Return plain text as it is, and of a conversation the user's last message (where no user speaks, the last one).

    This is the prompt that reward functions and judges see.
    """
    if isinstance(turns, str):
        return turns
    return content(next((m for m in reversed(turns) if m.get("role") == "user"), turns[-1])) if turns else ""


def all_user_messages(turns: Turns) -> str:
    """Return plain text as it is, and of a conversation everything that the user says, a message a line."""
    if isinstance(turns, str):
        return turns
    return "\n".join(content(m) for m in turns if m.get("role") == "user")


def is_prefilled(prompt: Turns) -> bool:
    """Whether a prompt ends with words of the assistant: the answer continues them."""
    return not isinstance(prompt, str) and bool(prompt) and prompt[-1].get("role") == "assistant"


def joined(prompt: Sequence[Message], answer: Sequence[Message]) -> tuple[Message, ...]:
    """Return prompt and answer as one conversation, in which an answer that the prompt begins is one message."""
    if not (is_prefilled(tuple(prompt)) and answer and answer[0].get("role") == "assistant"):
        return (*prompt, *answer)
    *before, prefill = prompt
    kept = {name: value for name, value in prefill.items() if name != TRAINED}
    whole = {**kept, **answer[0], "content": content(prefill) + content(answer[0])}
    return (*before, whole, *answer[1:])


def conversation(prompt: Turns, answer: str) -> tuple[Message, ...]:
    """Return a prompt as messages (plain text is one of the user), followed by the answer as the assistant's."""
    asked = ({"role": "user", "content": prompt},) if isinstance(prompt, str) else prompt
    return joined(asked, ({"role": "assistant", "content": answer},))


def answer_text(answer: Answer) -> str:
    """Return the text of an answer: as it was sampled, as it is written, or the last message of a conversation."""
    return answer.text if isinstance(answer, Sampled) else last_message(answer)


def under(turns: Turns, prompt: str) -> Turns:
    """Return a conversation under a system prompt: it begins the system message, or is the first lines of plain text.

    An empty prompt changes nothing.
    """
    if not prompt:
        return turns
    if isinstance(turns, str):
        return f"{prompt}\n{turns}"
    if turns and turns[0]["role"] == "system":
        return {**turns[0], "content": f"{prompt}\n\n{content(turns[0])}"}, *turns[1:]
    return {"role": "system", "content": prompt}, *turns


def words(text: str) -> int:
    """Count the words between white space; a text without any counts as one."""
    return max(1, len(text.split()))


def turn_ends(episode: Episode) -> tuple[int, ...]:
    """Return the places of the segments with which turns of models end."""
    segments = episode.segments
    return tuple(
        i
        for i, (s, after) in enumerate(zip(segments, (*segments[1:], None), strict=True))
        if s.logp is not None and not (after and after.continues(s))
    )


def turns_of_models(episode: Episode) -> list[Segment]:
    """Return the turns of models: a segment each, with what a guide wrote of it or how it had to begin."""
    segments = episode.segments
    return [_joined(segments[i - 1] if i else None, segments[i]) for i in turn_ends(episode)]


def _joined(before: Segment | None, s: Segment) -> Segment:
    """The segment, with the one before it where both are one turn."""
    if before is None or not s.continues(before):
        return s
    logp = (*(before.logp or ()), *(s.logp or ()))
    return replace(s, tokens=before.tokens + s.tokens, logp=logp, text=before.text + s.text)
