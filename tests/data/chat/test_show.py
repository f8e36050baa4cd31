from io import StringIO

import pytest
from rich.console import Console

from posttrain.data.chat.encode import Encoder
from posttrain.data.chat.show import show
from posttrain.records import Demonstration, Rating
from tests.data.tokenizer import byte_tokenizer

TOKENIZER = byte_tokenizer()


def printed(records, kind, count=10, **console):
    encoder = Encoder(TOKENIZER, 500)
    rows = [row for r in records for row in encoder.rows(r, kind)]
    out = StringIO()
    Console(file=out, width=80, **console).print(show(rows, TOKENIZER, count))
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
