"""A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning (Ross et al., 2011).

DAgger: a teacher is imitated where the policy goes, not only where the teacher would go, so that the policy learns to
recover from its own mistakes. First the teacher writes, then the policy; all answers so far are learned from.

    D ← D ∪ {s_t of answers ~ π_n},    L = mean over D of KL(π_teacher(· | s_t) || π(· | s_t)),    π_1 = the teacher

The teacher's whole distribution is the label of a place, where the paper has one action. One round is cloning of the
teacher. The teacher is `models.teacher`, with the policy's tokenizer.
"""

from __future__ import annotations

from posttrain.core.method import TOKEN_MEAN, Method, Stream, Term
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.penalties import forward_kl
from posttrain.records import Record
from posttrain.selection.answers import dataset, demonstrations
from posttrain.training.session import NO_OPTIONS, Options, Session

LABELLED = Method(
    name="labelled",
    streams=Stream("demonstrations"),
    fields={"teacher_logits": live("T V", "logits of the teacher", "teacher", "logits")},
    loss=Term(part(forward_kl, ref_logits="teacher_logits"), reduce=TOKEN_MEAN),
)


def dagger(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    samples: int = 1,
    teacher: str = "teacher",
    imitation: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: answers of the teacher, later of the policy -> learn what the teacher would write next in all of them.

    Settings:
        rounds: number of rounds; at least 1, where 1 is cloning.
        samples: answers to each prompt in a round; at least 1.
        teacher: name of the role that is imitated, as it is at first; teacher, or any other of `models`.
        imitation: options of every stage of imitation: any keys of `train`.
    """
    metrics: dict[str, float] = {}
    seen: list[Record] = []
    if teacher != "teacher":
        session.copy(teacher, "teacher")
    for n in range(1, rounds + 1):
        writer = "teacher" if n == 1 else "policy"
        author = session.sampling(samples=samples, mix=((writer, 1.0),))
        seen += demonstrations(session.collect(f"round-{n}", prompts, author, rewards=()))
        metrics = session.train(LABELLED, dataset(seen, f"round {n}"), rewards=(), **imitation)
    return metrics
