"""What is said of a template that writes an answer otherwise than it calls for it."""

from posttrain.data.chat.mismatch import mismatch

TALK = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "assistant", "content": "c"}]


def test_it_shows_where_the_texts_part_and_what_may_help():
    said = mismatch("<user>a<bot>", "<user>a<model>c", TALK, {"thinking": True, "tools": []}, prefilled=False)
    assert "writes message 3 otherwise than it calls for it: '<user>a<bot>' before the answer" in said
    assert "join answers that follow each other, or change thinking of chat_template_kwargs, or set model." in said
    prefill = mismatch("<user>a<bot>", "<user>a<model>c", TALK, {}, prefilled=True)
    assert "write the whole answer, behind a prompt that ends before it, or set model." in prefill
    assert "join answers" not in prefill
    assert "put the system message into the first question" in mismatch(
        "a", "b", [{"role": "system"}], {}, prefilled=False
    )
