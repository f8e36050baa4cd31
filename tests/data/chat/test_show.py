from io import StringIO

import pytest
from rich.console import Console

from posttrain.data.chat.encode import Encoder
from posttrain.data.chat.show import Example, show
from posttrain.records import Demonstration, Rating
from tests.data.tokenizer import byte_tokenizer

TOKENIZER = byte_tokenizer()


def printed(records, kind, count=10, tokens=False, **console):
    encoder = Encoder(TOKENIZER, 500)
    examples = [Example(f"a.jsonl:{r.id}", {"id": r.id}, encoder.rows(r, kind)) for r in records]
    out = StringIO()
    Console(file=out, width=80, **console).print(show(examples, TOKENIZER, count, tokens=tokens))
    return out.getvalue()


def test_trained_tokens_are_in_brackets_without_colour():
    talk = ({"role": "user", "content": "Café?"}, {"role": "assistant", "content": "Oui, [red]café[/red]"})
    text = printed([Demonstration(7, "", talk)], "demonstrations")
    assert "<|im_start|>user\nCafé?<|im_end|>\n<|im_start|>assistant\n⟦Oui, [red]café[/red]<|im_end|>⟧" in text
    assert "row 7: 47 tokens, 22 trained" in text
    assert "1 rows, 47 tokens, 22 of them trained (47%); the longest row has 47" in text
    assert "\x1b" not in text


def test_trained_tokens_are_coloured_where_there_is_colour():
    record = Demonstration(7, "7+5=", "12")
    text = printed([record], "demonstrations", force_terminal=True, color_system="standard")
    assert "\x1b[1;32m12<|im_end|>\x1b[0m" in text
    assert "⟦" not in text
    assert "⟦12<|im_end|>⟧" in printed([record], "demonstrations", force_terminal=True, no_color=True)


def test_the_row_of_the_file_stands_beside_it():
    text = printed([Demonstration(7, "7+5=", "12")], "demonstrations")
    assert text.index("a.jsonl:7") < text.index('{"id": 7}') < text.index("7+5=⟦12")


def test_every_token_has_a_line():
    text = printed([Demonstration(7, "+é", "1")], "demonstrations", tokens=True)
    lines = [line.split() for line in text.splitlines()]
    assert ["0", "10", "+", "'+'"] in lines
    assert ["3", "16", "1", "'1'", "yes"] in lines
    assert sum(line[-1:] == ["yes"] for line in lines) == 2


def test_only_so_many_rows_are_shown_and_all_are_counted():
    text = printed([Rating(i, "7+5=", "12", i == 0) for i in range(5)], "ratings", count=2)
    assert text.count("⟦12") == 2
    assert "row 0: 7 tokens, 3 trained, label True" in text
    assert "row 1: 7 tokens, 3 trained, label False" in text
    assert "5 rows, 35 tokens, 15 of them trained (43%)" in text


@pytest.mark.fault("D16")
def test_text_cannot_steer_the_terminal():
    text = printed([Demonstration(1, "\x1b[2J\u202eabc\x07", "\u200bd")], "demonstrations")
    assert "\\x1b[2J\\u202eabc\\x07⟦\\u200bd" in text
    assert not set("\x1b\u202e\x07\u200b") & set(text)
