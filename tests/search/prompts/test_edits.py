import pytest

from posttrain.search.prompts.edits import Edit, FewShot, edits, written

pytestmark = pytest.mark.paper("002:TEMPERA")
EXAMPLES = (("a", "1"), ("b", "2"), ("c", "3"))
TEMPLATES = ("{question}:{answer}", "{question} is {answer}")
PHRASES = ("Be brief.", "Be right.")
FIRST = FewShot.first(3, 2, 2)


def text(prompt):
    return prompt.text(EXAMPLES, TEMPLATES, PHRASES)


def test_it_begins_with_the_first_examples_by_the_first_template():
    assert text(FIRST) == "Be brief. Be right.\na:1\nb:2\n"
    assert FIRST.shown == (0, 1)
    assert FewShot.first(2, 5, 0).shown == (0, 1)


def test_every_edit():
    assert [(e.kind, e.i, e.j) for e in edits(3, 2, 2, 2)] == [
        ("stop", 0, 0), ("examples", 0, 1), ("examples", 0, 2), ("examples", 1, 2),
        ("template", 0, 0), ("template", 0, 1), ("template", 1, 0), ("template", 1, 1),
        ("phrases", 0, 1), ("phrase", 0, 0), ("phrase", 1, 0),
    ]  # fmt: skip
    assert {e.kind for e in edits(3, 5, 1, 0)} == {"stop", "examples"}


def test_what_edits_do():
    assert text(FIRST.after(Edit("examples", 0, 2))) == "Be brief. Be right.\nc:3\nb:2\n"
    assert text(FIRST.after(Edit("template", 1, 1))) == "Be brief. Be right.\na:1\nb is 2\n"
    assert text(FIRST.after(Edit("phrases", 0, 1))) == "Be right. Be brief.\na:1\nb:2\n"
    assert text(FIRST.after(Edit("phrase", 0))) == "Be right.\na:1\nb:2\n"
    assert FIRST.after(Edit()) == FIRST


def test_a_template_stays_with_its_example():
    moved = FIRST.after(Edit("template", 0, 1)).after(Edit("examples", 0, 1))
    assert text(moved) == "Be brief. Be right.\nb:2\na is 1\n"


def test_exchanges_and_phrases_undo_themselves():
    for edit in edits(3, 2, 2, 2):
        if edit.kind != "template":
            assert FIRST.after(edit).after(edit) == FIRST


def test_a_phrase_that_was_left_out_stays_so_where_it_moves():
    assert text(FIRST.after(Edit("phrase", 0)).after(Edit("phrases", 0, 1))).startswith("Be right.\n")


def test_text_that_looks_like_a_template_stays():
    assert written("{question} -> {answer}", "{answer}{x}", "1") == "{answer}{x} -> 1"
