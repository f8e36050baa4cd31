"""The pieces of a result that takes long: read back, torn lines, other places, and gone once the whole is kept."""

from __future__ import annotations

from posttrain.runs.pieces import Pieces

HERE = {"name": "rounds/trees", "steps": 3}


def test_pieces_come_back_in_their_order_and_more_follow(tmp_path):
    path = tmp_path / "rounds" / "trees.pieces.jsonl"
    first = Pieces(path, HERE)
    assert first.known == []
    assert not path.exists()
    first.add({"a": [0.1 + 0.2]})
    first.add("é\n")
    again = Pieces(path, HERE)
    assert again.known == [{"a": [0.1 + 0.2]}, "é\n"]
    strange = "two\u2028lines\x85 and half a character: \ud83d"
    again.add(strange)
    again.add(3)
    assert Pieces(path, HERE).known == [{"a": [0.1 + 0.2]}, "é\n", strange, 3]


def test_a_piece_that_a_kill_has_torn_is_computed_again(tmp_path):
    path = tmp_path / "pieces.jsonl"
    Pieces(path, HERE).add(1)
    with path.open("a") as file:
        file.write('{"half')
    again = Pieces(path, HERE)
    assert again.known == [1]
    again.add(2)
    assert Pieces(path, HERE).known == [1, 2]
    path.write_text('{"half')
    assert Pieces(path, HERE).known == []


def test_pieces_of_another_place_in_the_run_are_thrown_away(tmp_path):
    path = tmp_path / "pieces.jsonl"
    Pieces(path, HERE).add(1)
    assert Pieces(path, {**HERE, "steps": 4}).known == []
    assert Pieces(path, HERE).known == []


def test_nothing_is_left_once_the_whole_is_kept(tmp_path):
    path = tmp_path / "pieces.jsonl"
    pieces = Pieces(path, HERE)
    pieces.add(1)
    pieces.done()
    assert not path.exists()
    pieces.done()


def test_without_a_file_nothing_is_written():
    pieces = Pieces()
    pieces.add(1)
    assert pieces.known == [1]
    pieces.done()
