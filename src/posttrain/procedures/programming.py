"""What procedures share in which a speaker writes reward code for a small learner."""

from __future__ import annotations

from posttrain.learners.coding.isolation import isolation
from posttrain.learners.coding.reward_search import RewardSearch
from posttrain.procedures.helping import Options, compared, learning, world_of
from posttrain.search.evolution.archive import Archive
from posttrain.training.session import Session


def reward_search(
    session: Session,
    world: str,
    options: Options,
    q: Options,
    speaker: str,
    *,
    sandbox: str,
    numpy: bool,
    seconds: float,
    critic: str | None = None,
    judge: str | None = None,
) -> RewardSearch:
    """Return the search for reward code of a run file: its world, learner, writer and sandbox."""
    tier, limits = isolation(sandbox, seconds=seconds, numpy=numpy)
    return RewardSearch(
        world_of(session, world, options),
        session.speaker(speaker),
        learning(q),
        session.seed("trial"),
        tier,
        limits,
        None if critic is None else session.speaker(critic),
        None if judge is None else session.speaker(judge),
    )


def finished(session: Session, search: RewardSearch, archive: Archive, seeds: int) -> dict[str, float]:
    """Keep the best program and the archive; compare learners with the program and with the world's own reward.

    Where no program works the world's own reward stays, and the gain is 0.
    """
    best, reward = archive.best, None
    session.artefact("archive", archive.state())
    if best is None:
        session.note("no program works, so the world's own reward stays")
    else:
        session.artefact("reward.py", str(best.text))
        reward = search.reward(str(best.text))
    return compared(
        session,
        search.world,
        lambda seed: search.tried(reward, seed).learned,
        lambda seed: search.tried(None, seed).learned,
        seeds,
    )
