"""An answer that became several rows counts once among the answers to its prompt, and its rows get its credit."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit import baselines, controllers, group_baselines, pairs, scaling
from posttrain.formulas.losses import soft_q

pytestmark = pytest.mark.usefixtures("float64")

# Seven answers to two prompts. The rows below are: an answer of three rows, of which the first has nothing to train and
# the two others one and two tokens, and six answers of a single row.
REWARDS = [2.0, 1.0, 0.0, 1.0, 4.0, 4.0, 4.0]
GROUPS = [7, 7, 7, 7, 3, 3, 3]
LENGTHS = [3, 1, 2, 1, 1, 2, 1]
PARTS = [[[0], [1], [0, 1, 1]], *([[1] * n] for n in LENGTHS[1:])]


def laid_out(parts):
    """The rows of answers: each with one token before it that is not trained."""
    masks, answer = zip(*(([0, *row], 10 + i) for i, rows in enumerate(parts) for row in rows), strict=True)
    index = torch.arange(len(masks)).repeat_interleave(torch.tensor([len(m) for m in masks]))
    rows = Rows(index, torch.tensor([bool(x) for m in masks for x in m]), len(masks), torch.tensor(answer))
    per_row = [torch.tensor([x[i - 10] for i in answer]) for x in (REWARDS, GROUPS)]
    return rows, *per_row


SPLIT, WHOLE = laid_out(PARTS), laid_out([[[1] * n] for n in LENGTHS])
CREDITS = {
    "grpo": lambda rows, r, g: baselines.group_standardise(r, g, rows),
    "dr_grpo": lambda rows, r, g: baselines.group_centre(r, g, rows),
    "rloo": lambda rows, r, g: baselines.leave_one_out(r, g, rows),
    "opo": lambda rows, r, g: group_baselines.length_weighted_centre(r, g, rows),
    "maxrl": lambda rows, r, g: group_baselines.over_mean(r, g, rows),
    "pass_at_k": lambda rows, r, g: group_baselines.best_over_second(r, g, rows),
    "gpg": lambda rows, r, g: group_baselines.rescaled_centre(r, g, rows),
    "rlprompt": lambda rows, r, g: rows.spread(soft_q.scaled_standardise(r, g, rows)),
    "gdpo": lambda rows, r, g: group_baselines.decoupled_standardise(
        torch.stack([r, -r.square()], 1), torch.tensor([[1.0, 0.5]]).expand(len(r), 2), g, rows
    ),
}


@pytest.mark.parametrize("method", CREDITS)
def test_its_tokens_have_the_credit_of_one_row(method):
    credit = CREDITS[method]
    split, whole = credit(*SPLIT)[SPLIT[0].mask], credit(*WHOLE)[WHOLE[0].mask]
    assert split.tolist() == pytest.approx(whole.tolist(), abs=1e-12)
    assert whole.abs().max() > 0


def test_rows_without_the_mark_count_one_by_one():
    rows, reward, group = SPLIT
    alone = Rows(rows.index, rows.mask, rows.count)
    assert not torch.allclose(CREDITS["grpo"](alone, reward, group), CREDITS["grpo"](rows, reward, group))


def test_statistics_of_the_batch_see_it_once():
    (rows, reward, _), (one, whole, _) = SPLIT, WHOLE
    assert baselines.queue_mean(None, reward, rows)[0] == baselines.queue_mean(None, whole, one)[0]
    assert baselines.running_mean(None, reward, rows)[0] == baselines.running_mean(None, whole, one)[0]
    assert scaling.running_scale(None, reward, rows)[0] == scaling.running_scale(None, whole, one)[0]
    kl = [controllers.adaptive_kl(None, r.mask * 3.0, r.mask * 1.0, r) for r in (rows, one)]
    assert kl[0][0] == kl[1][0]


def test_it_is_in_one_pair():
    rows, reward, group = SPLIT
    found = pairs.best_and_worst(reward, group, torch.arange(rows.count), rows)
    assert found.tolist() == [[1, 4]]


def test_the_mark_goes_with_the_rows():
    """Its first trained row stands for it, whatever else is chosen and in whatever order."""
    rows, _, _ = SPLIT
    assert rows.counted.nonzero()[:, 0].tolist() == [1, 3, 4, 5, 6, 7, 8]
    place = torch.full((rows.count,), -1)
    place[[2, 5, 1]] = torch.arange(3)
    tokens = torch.cat([(rows.index == r).nonzero()[:, 0] for r in (2, 5, 1)])
    taken = rows.take(tokens, place, 3)
    assert taken.answer.tolist() == [10, 13, 10]
    assert taken.counted.tolist() == [True, True, False]
    assert taken.to(torch.device("cpu")).counted.tolist() == [True, True, False]
