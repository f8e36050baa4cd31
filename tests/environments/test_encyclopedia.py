"""The encyclopedia: its articles say what its questions ask for."""

from __future__ import annotations

from posttrain.environments.encyclopedia import passages, question, world


def test_every_answer_stands_in_the_last_article_and_each_names_the_next() -> None:
    texts = {p.title: p.text for p in passages()}
    for index in range(200):
        asked = question(index, 0)
        *before, last = asked["documents"]
        assert asked["answer"] in texts[last]
        assert asked["answer"] not in asked["question"]
        for title, following in zip(before, asked["documents"][1:], strict=True):
            assert following in texts[title]
            assert title == before[0] or title not in asked["question"]


def test_names_are_unique_and_the_world_comes_from_its_seed() -> None:
    assert len({p.title for p in passages()}) == len(passages()) == 52
    assert world(0) != world(1)
    assert question(3, 0) == question(3, 0) != question(3, 1)
    assert len({question(i, 0)["question"] for i in range(300)}) > 60
