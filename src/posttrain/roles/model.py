"""A model in this process as a text role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from torch import Tensor

from posttrain.core.batch import Batch
from posttrain.core.vocabulary import Source, When
from posttrain.data.chat.encode import Encoder
from posttrain.data.collate import collate
from posttrain.errors import ConfigError, DataError, ModelError
from posttrain.records import Prompt, Row, Turns
from posttrain.roles.choices import Choices
from posttrain.roles.conversation import as_messages, reply_seeds, split_answer
from posttrain.roles.options import options_of_each
from posttrain.roles.protocol import Options, Score, TextRole
from posttrain.sampling.request import Completion, Mix, Request

Forward = Callable[[Batch, Mapping[str, Source]], dict[str, Tensor]]  # Learner.forward, for a batch of any size
Generate = Callable[[Sequence[Request], Mix], list[Completion]]  # Sampler.generate
Tokens = tuple[int, ...]


class ModelRole(TextRole):
    """A model of a Learner and a Sampler, which know it as `role`, with its tokenizer and chat template.

    `plain`: plain text is read as it is, as the policy reads it, and is no user message. Without a chat template the
    same holds for a conversation of one user message. `writes`: whether the model has the last layer of a language
    model, `scores`: whether it has a score head. `padding`: a token that is not read at the end of a conversation, as
    classifiers of transformers do not read their padding. `gated`: whether its scores depend on where the prompt ends.
    `where`: the place in the run file, for errors.
    """

    def __init__(
        self,
        role: str,
        encoder: Encoder,
        forward: Forward,
        generate: Generate,
        *,
        plain: bool = False,
        writes: bool = True,
        scores: bool = True,
        padding: int | None = None,
        gated: bool = False,
        where: str | None = None,
    ) -> None:
        self.role = role
        self.where = where or f"models.{role}"
        self.encoder = encoder
        self.plain = plain
        self.writes = writes
        self.scores = scores
        self.padding = padding
        self.gated = gated
        self._forward = forward
        self._generate = generate

    def ask(
        self,
        conversations: Sequence[Turns],
        *,
        samples: int = 1,
        max_tokens: int,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[list[str]]:
        self._check_writes()
        seeds = reply_seeds(conversations, samples, seed)
        requests = [
            Request(prompt, one, max_tokens, temperature)
            for turns, own in zip(conversations, seeds, strict=True)
            for prompt in [self._prompt(turns, room=max_tokens)]
            for one in own
        ]
        texts = [self.encoder.text(c.tokens) for c in self._generate(requests, ((self.role, 1.0),))]
        return [texts[i : i + samples] for i in range(0, len(texts), samples)]

    def choose(self, conversations: Sequence[Turns], options: Options) -> list[list[float]]:
        """Return softmax over options o of Σ_t log p(o_t | conversation, o_<t).

        An option that begins another one in tokens is at least as probable, because no end of the turn is counted.
        """
        return [own.probabilities() for own in self.choices(conversations, options)]

    def choices(self, conversations: Sequence[Turns], options: Options) -> list[Choices]:
        """Return the log-probs of the options of each conversation. The model reads each conversation once."""
        self._check_writes()
        lists = options_of_each(options, len(conversations))
        rows: list[Row] = []
        for turns, own in zip(conversations, lists, strict=True):
            self._prompt(turns, room=1)
            asked = self._as_read(turns)
            rows += [_row(len(rows) + i, *self.encoder.followed(asked, text)) for i, text in enumerate(own)]
        logp = iter(self._logp_of(rows))
        return [Choices(own, tuple(next(logp) for _ in own)) for own in lists]

    def score(self, conversations: Sequence[Turns]) -> list[Score]:
        """Return the score head's number for each conversation, rendered as transformers renders it.

        Without a chat template the model reads the question, the answer and an end of text.
        A conversation that cannot be read (it does not fit the context, or its template fails) gets the DataError.
        """
        if not self.scores:
            raise ConfigError(
                f"{self.where} has no score head, so it cannot score answers; give a reward model: a sequence "
                "classifier with one label, or a folder that reward/bradley_terry has trained"
            )
        scores: list[Score] = []
        whole: dict[int, Tokens] = {}
        ends: dict[int, int] = {}
        for i, turns in enumerate(conversations):
            scores.append(None)
            try:
                tokens = self._whole(turns)
                if self.gated:
                    ends[i] = self._end(turns, tokens)
                whole[i] = tokens
            except DataError as error:
                scores[i] = error
        if whole:
            if self.gated:
                rows = [_row(i, tokens, ends[i]) for i, tokens in whole.items()]
            else:
                rows = _sharing_prefixes(whole, [str(split_answer(conversations[i])[0]) for i in whole])
            numbers = self._forward(collate(rows), {"score": Source(self.role, "score", When.ONCE)})["score"]
            for i, number in zip(whole, numbers.tolist(), strict=True):
                scores[i] = float(number)
        return scores

    def close(self) -> None:
        self.encoder.close()

    def _check_writes(self) -> None:
        if not self.writes:
            raise ConfigError(
                f"{self.where} is a classifier without the last layer of a language model: it scores answers, "
                "but can neither be asked nor choose; give a language model in another role for that"
            )

    # ---- tokens

    def _prompt(self, turns: Turns, *, room: int) -> Tokens:
        """The tokens that the model reads before it replies. DataError unless `room` more fit its context."""
        return self.encoder.prompt(Prompt(0, self._as_read(turns)), room)

    def _whole(self, turns: Turns) -> Tokens:
        """The tokens of a conversation that ends with an answer."""
        asked, answer = split_answer(turns)
        prompt = self._as_read(asked)
        if isinstance(prompt, str):
            tokens = self.encoder.row(0, Prompt(0, prompt), answer).tokens
        else:
            tokens = self.encoder.conversation(as_messages(turns))
        while self.padding is not None and len(tokens) > 1 and tokens[-1] == self.padding:
            tokens = tokens[:-1]
        return tokens

    def _end(self, turns: Turns, tokens: Tokens) -> int:
        """How many of the tokens of a conversation its last answer follows: at least one, and not all."""
        prompt = self._prompt(split_answer(turns)[0], room=0)
        return max(1, min(_common([tokens, prompt]), len(tokens) - 1))

    def _as_read(self, turns: Turns) -> Turns:
        """A conversation in the form that the model has: messages with a chat template, plain text without."""
        if isinstance(turns, str) and self.plain:
            return turns
        messages = as_messages(turns)
        if self.encoder.template.source:
            return messages
        if len(messages) == 1 and messages[0]["role"] == "user":
            return str(messages[0]["content"])
        raise ModelError(
            f"{self.where}: its tokenizer has no chat template for a conversation of {len(messages)} messages; "
            f"set {self.where}.chat_template to a Jinja file"
        )

    # ---- numbers

    def _logp_of(self, rows: Sequence[Row]) -> list[tuple[float, ...]]:
        """The log-probs of each row's written tokens."""
        if not rows:
            return []
        batch = collate(rows)
        logp = self._forward(batch, {"logp": Source(self.role, "logp", When.ONCE)})["logp"]
        mask = batch["written"].mask
        return [tuple(own) for own in _divided(logp[mask].tolist(), batch["written"].length().tolist())]


def _divided(numbers: Sequence[float], lengths: Sequence[int]) -> Iterator[Sequence[float]]:
    """Divide numbers into parts of these lengths."""
    start = 0
    for length in lengths:
        yield numbers[start : start + length]
        start += length


def _row(identity: int, tokens: Tokens, read: int) -> Row:
    """A row whose first `read` tokens are given and whose others are asked for."""
    marks = (False,) * read + (True,) * (len(tokens) - read)
    return Row(identity, tokens, marks, marks)


def _sharing_prefixes(whole: Mapping[int, Tokens], prompts: Sequence[str]) -> list[Row]:
    """Rows of conversations, marked so that the network reads a prompt once for all its answers."""
    by_prompt: dict[str, list[Tokens]] = {}
    for prompt, tokens in zip(prompts, whole.values(), strict=True):
        by_prompt.setdefault(prompt, []).append(tokens)
    shared = {
        prompt: max(1, min(_common(group), *(len(tokens) - 1 for tokens in group)))
        for prompt, group in by_prompt.items()
    }
    return [_row(i, tokens, shared[prompt]) for (i, tokens), prompt in zip(whole.items(), prompts, strict=True)]


def _common(group: Sequence[Tokens]) -> int:
    """The number of tokens with which all of a group begin."""
    columns = zip(*group, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
