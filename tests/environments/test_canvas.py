"""Drawings of a few cells, what cannot be drawn, and how alike two pictures are."""

from __future__ import annotations

import pytest

from posttrain.environments.canvas import DrawingError, differences, render, similarity

pytestmark = pytest.mark.paper("chen20253a4")


def drawn(shapes, size=4):
    return render(f"<svg>{shapes}</svg>", size).split("\n")


@pytest.mark.parametrize(
    ("shapes", "picture"),
    [
        ("", ["....", "....", "....", "...."]),
        ('<rect x="1" y="0" width="2" height="3" fill="red"/>', [".rr.", ".rr.", ".rr.", "...."]),
        ('<rect x="-1" y="3" width="3" height="9" fill="black"></rect>', ["....", "....", "....", "kk.."]),
        ('<circle cx="2" cy="2" r="1" fill="blue" id="a"/>', ["....", ".bb.", ".bb.", "...."]),
        ('<circle cx="2" cy="2" r="2" fill="blue"/>', [".bb.", "bbbb", "bbbb", ".bb."]),
        ('<circle cx="2" cy="2" r="0" fill="blue"/>', ["....", "....", "....", "...."]),
        ('<line x1="0" y1="0" x2="3" y2="3" stroke="green"/>', ["g...", ".g..", "..g.", "...g"]),
        ('<line x1="3" y1="1" x2="0" y2="0" stroke="green"/>', ["gg..", "..gg", "....", "...."]),
        ('<line x1="2" y1="2" x2="2" y2="2" stroke="yellow"/>', ["....", "....", "..y.", "...."]),
        (
            '<rect x="0" y="0" width="4" height="1" fill="red"/> \n<line x1="1" y1="0" x2="1" y2="1" stroke="blue"/>',
            ["rbrr", ".b..", "....", "...."],
        ),
    ],
)
def test_shapes(shapes, picture):
    assert drawn(shapes) == picture


@pytest.mark.parametrize(
    ("svg", "says"),
    [
        ("", "does not begin with <svg>"),
        ("<svg>", "end with </svg>"),
        ("<svg>hello</svg>", "no shape: 'hello'; there are rect, circle, line"),
        ('<svg><path d="M0 0"/></svg>', "no shape"),
        ('<svg><rect x="1" y="0" width="2" height="3"/></svg>', "a rect without fill"),
        ('<svg><rect x="1" y="0" width="2" height="3" fill="pink"/></svg>', "no colour 'pink'"),
        ('<svg><rect x="1.5" y="0" width="2" height="3" fill="red"/></svg>', "x of a rect is '1.5'"),
        ('<svg><line x1="0" y1="0" x2="9999" y2="0" stroke="red"/></svg>', "at most 1000"),
        ("<svg>" + '<circle cx="2" cy="2" r="1" fill="red"/>' * 51 + "</svg>", "more than 50 shapes"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "does not begin"),
    ],
)
def test_what_cannot_be_drawn(svg, says):
    with pytest.raises(DrawingError, match=says):
        render(svg, 4)


def test_likeness_counts_the_cells_that_either_has_painted():
    assert similarity("rr..\n....", "rr..\n....") == 1.0
    assert similarity("rr..\n....", "rb..\nb...") == pytest.approx(1 / 3)
    assert similarity("....\n....", "rb..\nb...") == 0.0
    assert similarity("....", "....") == 1.0
    assert differences("rr\n..", "rb\n.b") == [(0, 1, "r", "b"), (1, 1, ".", "b")]
