"""A model behind a server with OpenAI's protocol as a text role."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from posttrain.endpoint.client import Body, Client
from posttrain.endpoint.endpoint import OPENAI, Endpoint
from posttrain.endpoint.failure import RefusedError, ReplyError
from posttrain.endpoint.reply import Choice
from posttrain.errors import ConfigError, DataError, RewardError
from posttrain.judges.scoring import QUESTION, grade
from posttrain.records import Turns
from posttrain.roles.choices import Choices
from posttrain.roles.conversation import as_messages, as_text, reply_seeds, split_answer
from posttrain.roles.options import options_of_each
from posttrain.roles.protocol import Options, Score, TextRole

LOW, HIGH = 1, 10  # grades of an answer
TOP = 20  # tokens whose log-probs a server gives at most
LIMITS = ("max_completion_tokens", "max_tokens")  # names of the limit; newer models of OpenAI refuse the second


class EndpointRole(TextRole):
    """A model that a client asks. What the run file sets in `endpoint.request` takes precedence over the arguments.

    `folder` keeps replies and spending: no request is answered twice. Replies that fail end the run with a RewardError,
    but for those of `score`.
    """

    def __init__(self, role: str, settings: Mapping[str, Any], folder: Path | None = None, *, where: str = "") -> None:
        self.where = where or f"models.{role}"
        try:
            self.client = Client(Endpoint.of(settings), folder)
        except ConfigError as error:
            raise ConfigError(f"{self.where}: {error}") from None

    def ask(
        self,
        conversations: Sequence[Turns],
        *,
        samples: int = 1,
        max_tokens: int,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[list[str]]:
        seeds = reply_seeds(conversations, samples, seed)
        bodies = [
            self._body(turns, seed=one, temperature=temperature, **{self._limit: max_tokens})
            for turns, own in zip(conversations, seeds, strict=True)
            for one in own
        ]
        texts = [choice.text or choice.refused for choice in self._choices(bodies)]
        return [texts[i : i + samples] for i in range(0, len(texts), samples)]

    def choose(self, conversations: Sequence[Turns], options: Options) -> list[list[float]]:
        """Return the probability that the reply begins with the first token of each option, from the top log-probs.

        Only these are known, so an option that is not among them has probability 0. Raises RewardError where none is,
        and ConfigError where one option begins another or the server gives no log-probs.
        """
        lists = options_of_each(options, len(conversations))
        for own in dict.fromkeys(lists):
            _check_first_tokens(own)
        settings = {"logprobs": True, "top_logprobs": TOP, "temperature": 1.0}
        bodies = [{**self._body(turns, **settings), self._limit: 1} for turns in conversations]
        try:
            choices = self._choices(bodies)
        except RewardError as error:
            if re.search(r"log.?prob", str(error)):
                raise ConfigError(
                    f"{error}. Without log-probs from the server the model can be asked but cannot choose; take "
                    "another model, or ask it for a reply in text"
                ) from None
            raise
        return [self._probabilities(choice, own) for choice, own in zip(choices, lists, strict=True)]

    def choices(self, conversations: Sequence[Turns], options: Options) -> list[Choices]:  # noqa: ARG002
        """Raise ConfigError: a server gives the log-probs of what it writes, not of a text that it is given."""
        raise ConfigError(
            f"{self.where}: a server tells how likely the first tokens of a reply are, and not how likely a whole text "
            "is; use `choose` with options that begin with other letters, or a model in this process"
        )

    def score(self, conversations: Sequence[Turns]) -> list[Score]:
        """Return a grade in [0, 1] for each answer, as the reward `judge` does; None where the model refuses.

        A request that fails gives its ReplyError, a conversation without an answer its DataError.
        """
        scores: list[Score] = []
        asked: dict[int, tuple[str, str, None]] = {}
        for i, turns in enumerate(conversations):
            scores.append(None)
            try:
                prompt, answer = split_answer(turns)
                asked[i] = (as_text(prompt), answer, None)
            except DataError as error:
                scores[i] = error
        grades = grade(self.client, QUESTION, list(asked.values()), low=LOW, high=HIGH, judgements=1)
        for i, verdict in zip(asked, grades, strict=True):
            scores[i] = verdict
        return scores

    def close(self) -> None:
        """Do nothing: a client holds no connection between requests."""

    # ---- requests and replies

    @property
    def _limit(self) -> str:
        """The name of the limit on tokens that the run file uses, else the server's."""
        own = [name for name in LIMITS if name in self.client.endpoint.request]
        return own[0] if own else LIMITS[self.client.endpoint.url != OPENAI]

    def _body(self, turns: Turns, **settings: Any) -> Body:
        return {"messages": [dict(m) for m in as_messages(turns)], **settings, **self.client.endpoint.request}

    def _choices(self, bodies: Sequence[Body]) -> list[Choice]:
        try:
            replies = self.client.ask(bodies)
        except RefusedError as error:
            raise RewardError(f"{self.where}: {error}") from None
        failed = [reply for reply in replies if isinstance(reply, ReplyError)]
        if failed:
            raise RewardError(
                f"{self.where}: {len(failed)} of {len(bodies)} requests failed; the others are kept and not sent "
                f"again with --resume. The first failure: {failed[0]}"
            )
        return [reply.choices[0] for reply in replies if not isinstance(reply, ReplyError)]

    def _probabilities(self, choice: Choice, options: Sequence[str]) -> list[float]:
        top = _top_logprobs(choice.logprobs)
        masses = [math.fsum(math.exp(x) for token, x in top if _begins(token, option)) for option in options]
        if (total := math.fsum(masses)) == 0:
            likeliest = [token for token, _ in top][:5]
            raise RewardError(
                f"{self.where}: none of the options {list(options)!r:.200} is among the likeliest first tokens "
                f"{likeliest!r:.200}; say in the prompt that one of them is to be answered, and nothing else"
            )
        return [mass / total for mass in masses]


def _top_logprobs(logprobs: Any) -> list[tuple[str, float]]:
    """The likeliest first tokens with their log-probs. ConfigError if the server sends them in another form."""
    try:
        return [(str(top["token"]), float(top["logprob"])) for top in logprobs["content"][0]["top_logprobs"]]
    except (LookupError, TypeError, ValueError):
        raise ConfigError(
            f"the server sends log-probs that cannot be read: {logprobs!r:.200}; `choose` needs `top_logprobs`"
        ) from None


def _begins(token: str, option: str) -> bool:
    """Whether an option begins with a token, whatever white space stands before the two."""
    return bool(token.strip()) and option.lstrip().startswith(token.strip())


def _check_first_tokens(options: Sequence[str]) -> None:
    """Raise ConfigError unless the first token can tell the options apart, which their first letters do for certain."""
    by_letter: dict[str, str] = {}
    for option in options:
        letter = option.lstrip()[:1]
        if not letter or letter in by_letter:
            raise ConfigError(
                f"choose: {option!r} cannot be told from {by_letter.get(letter, '')!r} by the first token of a reply, "
                "which is all that a server gives; let every option begin with another letter (A, B, C)"
            )
        by_letter[letter] = option
