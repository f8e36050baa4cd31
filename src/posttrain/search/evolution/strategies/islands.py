"""REvolve: Reward Evolution with Large Language Models using Human Feedback (Hazra et al., 2024): its islands.

Populations that evolve apart. Parents are drawn by the softmax of their fitness; a child enters its island if it is at
least as good as the island's mean, and the worst leaves an island that is too large. Now and then each island of the
weaker half loses its members, and one of another island that is not its best migrates there.

    P(parent) ∝ exp(fitness in [0, 1]);   child enters ⇔ F(child) ≥ mean F(island)
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate
from posttrain.search.evolution.course import Ask, Course, Match
from posttrain.search.evolution.elo import rate
from posttrain.search.evolution.selection import admitted, best, distinct, drawn, weaker_half, working
from posttrain.seeds import seed_for

Islands = list[list[Candidate]]


def islands(
    archive: Archive,
    *,
    rounds: int,
    count: int = 4,
    children: int = 4,
    size: int = 8,
    crossover: float = 0.5,
    migration: float = 0.3,
    temperature: float = 1.0,
    matches: int = 0,
    k: float = 32.0,
    seed: int = 0,
) -> Course:
    """Evolve populations apart, the first round without parents.

    Settings:
        rounds: rounds of proposals; at least 1, 7 in the paper.
        count: islands; at least 1, 4 to 5 in the paper.
        children: proposals for each island and round; at least 1, 3 to 4 in the paper.
        size: members of an island, at most; at least 1, 8 in the paper.
        crossover: probability that a child has two parents and not one; 0 to 1, 0.5 in the paper.
        migration: probability that the weaker half is settled anew after a round; 0 to 1, 0.3 in the paper.
        temperature: of the softmax that draws parents; above 0, 1 in the paper.
        matches: matches of each new candidate against others of the archive, whose Elo ratings are the fitness; 0 keeps
            the fitness of the evaluation.
        k: how far a match moves a rating; 32 in the paper.
        seed: seed of what is drawn; any.
    """
    members: Islands = [[c for c in archive.candidates if c.works] for _ in range(count)]
    for n in range(rounds):
        asks = [
            _ask(m, i, crossover, temperature, seed_for(seed, "parents", n, i, child))
            for i, m in enumerate(members)
            for child in range(children)
        ]
        born = yield asks
        if pairs := paired(archive, born, matches, seed_for(seed, "matches", n)):
            rate(archive, pairs, (yield pairs), k)
        for child in born:
            settled = members[child.island]
            members[child.island] = best([*settled, child], size) if n == 0 else admitted(settled, child, size)
        if Random(seed_for(seed, "migration", n)).random() < migration and n < rounds - 1:  # noqa: S311 (no secret)
            members = migrated(members, seed_for(seed, "migrants", n))
    return best(distinct([c for m in members for c in m]), count * size)


def _ask(members: Sequence[Candidate], island: int, crossover: float, temperature: float, seed: int) -> Ask:
    """Wish for a child: of two parents, of one, or of none where the island is empty."""
    wanted = 2 if Random(seed_for(seed, "operator")).random() < crossover else 1  # noqa: S311 (no secret)
    parents = drawn(members, wanted, seed, temperature=temperature)
    operator = ("create", "mutate", "cross")[len(parents)]
    return Ask(operator, tuple(p.number for p in parents), island)


def paired(archive: Archive, born: Sequence[Candidate], matches: int, seed: int) -> list[Match]:
    """Draw opponents for every new candidate that works: others that work, born now or earlier, each once."""
    found, chance = list[Match](), Random(seed)  # noqa: S311 (no secret)
    for child in (c for c in born if c.works and c.same_as is None):
        others = [c for c in distinct(working(archive.candidates)) if c.text != child.text]
        found += [Match(child.number, o.number) for o in chance.sample(others, min(matches, len(others)))]
    return found


def migrated(members: Sequence[Sequence[Candidate]], seed: int) -> Islands:
    """Settle each island of the weaker half anew, with one member of another island that is not its best.

    An island of one member gives that one; where no other island has any, all stays as it is.
    """
    weak = weaker_half(members)
    strong = [i for i in range(len(members)) if i not in weak and members[i]]
    after, chance = [list(m) for m in members], Random(seed)  # noqa: S311 (no secret)
    for i in weak if strong else ():
        source = members[chance.choice(strong)]
        ranked = best(source, len(source))
        after[i] = [chance.choice(ranked[1:] or ranked)]
    return after
