"""Answers that end at strings and sequences of tokens."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace

import pytest

from posttrain.errors import ConfigError
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import Pause, Request
from posttrain.sampling.stop import UNFINISHED, Stop
from tests.border.families import FAMILIES
from tests.border.tokenizers import KINDS, tokenizer_of
from tests.models.tiny import network, padded
from tests.sampling.test_engine import NEVER, requests, same

LETTERS = "abcdefghijklmnopqrstuvwxyzéü€"


def letters(tokens):
    return "".join(LETTERS[t % 27] for t in tokens)


class Bytes:
    """A tokenizer whose tokens are the bytes of UTF-8."""

    def decode(self, tokens, **_):
        return bytes(tokens).decode(errors="replace")


def first_end(stop, tokens):
    return next((i for i in range(len(tokens)) if stop(tokens[: i + 1])), None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_token_with_which_the_text_holds_the_string_ends_it(kind):
    """The same place as by decoding the whole answer after every token, for strings cut anywhere out of its text."""
    tokenizer, drawn, found = tokenizer_of(FAMILIES[0], kind), random.Random(0), 0
    for _ in range(60):
        tokens = [drawn.randrange(len(tokenizer)) for _ in range(24)]
        text = tokenizer.decode(tokens, skip_special_tokens=False)
        begin = drawn.randrange(len(text) - 8)
        string = text[begin : begin + drawn.randrange(1, 8)]
        if UNFINISHED in string:
            continue
        held = [string in tokenizer.decode(tokens[: i + 1], skip_special_tokens=False) for i in range(24)]
        assert first_end(Stop.at((string,), tokenizer), tokens) == held.index(True)
        found += held.index(True) > 0
    assert found > 10


def test_a_character_of_several_tokens_is_complete_with_its_last():
    tokens = list("a 5 € b".encode())
    assert first_end(Stop.at(("€",), Bytes()), tokens) == tokens.index("€".encode()[-1])
    assert first_end(Stop.at(("5 € ",), Bytes()), tokens) == len("a 5 € ".encode()) - 1
    assert first_end(Stop.at(("¢",), Bytes()), tokens) is None


def test_only_tokens_that_may_complete_a_string_are_decoded_with_others():
    read = []
    stop = Stop(("cab",), decode=lambda tokens: read.append(len(tokens)) or letters(tokens))
    assert first_end(stop, [4, 2, 0, 4, 2, 0, 1, 5]) == 6
    assert max(read) == 4
    assert read.count(4) == 1  # one token longer than the string


def test_sequences_of_tokens():
    assert first_end(Stop(sequences=((4, 5), (9,))), [5, 4, 4, 5, 9]) == 3
    assert first_end(Stop(sequences=((4, 5), (9,))), [5, 9, 4, 5]) == 1
    assert first_end(Stop(sequences=((5, 4, 4, 5),)), [4, 5]) is None


def test_nothing_to_stop_at():
    assert Stop.at((), Bytes()) is None
    with pytest.raises(ConfigError, match="an empty string would end every answer"):
        Stop.at(("", "a"), Bytes())


def test_the_engine_ends_an_answer_with_the_token_that_completes_the_string():
    asked = requests(6, max_tokens=20)
    free = Engine({"policy": network()}, NEVER).generate(asked)
    ends = [replace(r, stop=Stop((letters(c.tokens)[4:7],), decode=letters)) for r, c in zip(asked, free, strict=True)]
    made = Engine({"policy": network()}, NEVER, slots=3).generate(ends[:5] + asked[5:])
    same(made[5:], free[5:])
    for whole, cut, request in zip(free[:5], made, ends, strict=False):
        assert whole.tokens[: len(cut.tokens)] == cut.tokens
        assert letters(cut.tokens).index(*request.stop.strings) == len(cut.tokens) - 3
        assert cut.ended
        assert not whole.ended


def test_a_string_may_begin_in_a_part_that_was_suspended():
    engine, asked = Engine({"policy": network()}, NEVER), requests(1, max_tokens=20)[0]
    free = engine.generate([asked])[0]
    asked = replace(asked, stop=Stop((letters(free.tokens)[2:6],), decode=letters))
    part = engine.generate([asked], pause=Pause(each=4))[0]
    assert (part.tokens, part.finished) == (free.tokens[:4], False)
    rest = engine.generate([replace(asked, partial=part)])[0]
    assert (rest.tokens, rest.ended) == (free.tokens[:6], True)


def test_transformers_ends_answers_likewise():
    asked = Request((3, 4, 5), 0, 12)
    engine = HfEngine({"policy": padded("Gemma2")}, NEVER)
    free = engine.generate([asked])[0]
    cut = engine.generate([replace(asked, stop=Stop(sequences=(free.tokens[3:5],)))])[0]
    assert cut.tokens == free.tokens[:5]
    assert cut.ended


def test_requests_that_stop_travel_between_processes():
    stop = pickle.loads(pickle.dumps(Stop(("a",), ((3,),), decode=letters)))  # noqa: S301
    assert stop == Stop(("a",), ((3,),), decode=letters)
    assert stop([0])
