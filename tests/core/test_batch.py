"""Rows and Batch: between tokens and rows, cutting, packing, dealing."""

import itertools
import math
import random

import pytest
import torch

from posttrain.core.batch import Batch, keyed_rows, keyed_uniform
from posttrain.core.rows import Rows
from posttrain.core.vocabulary import FIELDS, When, head
from posttrain.data.collate import collate
from posttrain.errors import ConfigError
from posttrain.records import Row

pytestmark = pytest.mark.usefixtures("float64")

# Row 0: tokens 1 and 3 are trained (2 is a tool's). Row 1: nothing trained. Row 2: tokens 1 and 2.
MASK = [[0, 1, 0, 1], [0, 0], [0, 1, 1]]
X = torch.arange(1.0, 10.0)  # 1..4 | 5 6 | 7 8 9


def some_rows(mask=MASK):
    index = torch.arange(len(mask)).repeat_interleave(torch.tensor([len(m) for m in mask]))
    return Rows(index, torch.tensor([bool(x) for m in mask for x in m]), len(mask))


def batch(lengths, pairs=None, **columns):
    """Rows of these lengths; the token at place p of row i is 100 i + p, the first of each row is untrained."""
    rows = []
    for i, n in enumerate(lengths):
        mask = (False,) + (True,) * (n - 1)
        cells = {k: c[i] for k, c in columns.items()}
        rows.append(Row(1000 + i, tuple(100 * i + p for p in range(n)), mask, mask, cells))
    return collate(rows, pairs)


class TestRows:
    def test_sizes_count_all_tokens_and_length_the_trained(self):
        rows = some_rows()
        assert rows.sizes.tolist() == [4, 2, 3]
        assert rows.length().tolist() == [2, 0, 2]
        assert rows.trained.tolist() == [True, False, True]

    def test_sum_and_mean_see_the_trained_tokens_only(self):
        rows = some_rows()
        assert rows.sum(X).tolist() == [6, 0, 17]
        assert rows.mean(X).tolist() == [3, 0, 8.5]

    def test_sum_carries_gradient_to_the_trained_tokens_only(self):
        x = X.clone().requires_grad_()
        (some_rows().sum(x) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
        assert x.grad.tolist() == [0, 1, 0, 1, 0, 0, 0, 3, 3]

    def test_spread_and_sum_are_adjoint(self):
        rows, v = some_rows(), torch.tensor([1.5, -2.0, 0.3])
        assert float((rows.spread(v) * X).sum()) == pytest.approx(float((v * rows.sum(X)).sum()))
        assert rows.spread(v).tolist() == [0, 1.5, 0, 1.5, 0, 0, 0, 0.3, 0.3]

    def test_at_last_writes_the_last_trained_token(self):
        assert some_rows().at_last(torch.tensor([1.0, 2.0, 3.0])).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 3]

    def test_at_last_conserves_the_sum_of_the_trained_rows(self):
        v = torch.tensor([1.0, 2.0, 3.0])
        assert some_rows().sum(some_rows().at_last(v)).tolist() == [1, 0, 3]

    def test_next_skips_what_is_not_trained_and_stops_at_the_row(self):
        assert some_rows().next(X).tolist() == [0, 4, 0, 0, 0, 0, 0, 9, 0]

    def test_discount_equals_a_loop_over_the_trained_tokens(self):
        mask, rate = [[0, 1, 0, 1, 1], [0, 0], [0, 1], [0, 1, 1, 0, 1]], 0.7
        rows = some_rows(mask)
        x = torch.randn(len(rows.index), generator=torch.Generator().manual_seed(0))
        expected, start = [0.0] * len(x), 0
        for m in mask:
            places, run = [start + t for t, trained in enumerate(m) if trained], 0.0
            for t in reversed(places):
                run = float(x[t]) + rate * run
                expected[t] = run
            start += len(m)
        assert rows.discount(x, rate).tolist() == pytest.approx(expected)

    def test_discount_without_trained_tokens_is_zero(self):
        assert some_rows([[0, 0], [0]]).discount(torch.ones(3), 0.9).tolist() == [0, 0, 0]

    def test_discount_with_rate_zero_and_one(self):
        rows = some_rows()
        assert rows.discount(X, 0.0).tolist() == [0, 2, 0, 4, 0, 0, 0, 8, 9]
        assert rows.discount(X, 1.0).tolist() == [0, 6, 0, 4, 0, 0, 0, 17, 9]


class TestSelect:
    def test_takes_rows_in_the_asked_order_with_all_their_tensors(self):
        b = batch([2, 3, 2], label=[True, False, True], old_logp=[[0.0, 1.0], [0.0, 2.0, 3.0], [0.0, 4.0]])
        chosen = b.select([2, 1])
        assert chosen["tokens"].tolist() == [200, 201, 100, 101, 102]
        assert chosen["rows"].index.tolist() == [0, 0, 1, 1, 1]
        assert chosen["written"].mask.tolist() == [False, True, False, True, True]
        assert chosen["row_id"].tolist() == [1002, 1001]
        assert chosen["label"].tolist() == [True, False]
        assert chosen["old_logp"].tolist() == [0, 4, 0, 2, 3]

    def test_renumbers_pairs_and_drops_those_outside(self):
        b = batch([2, 2, 2, 2], pairs=[(1, 0), (3, 2)]).add({"margin": torch.tensor([5.0, 6.0])}, {"margin": "N"})
        chosen = b.select([3, 2])
        assert chosen["pairs"].tolist() == [[0, 1]]
        assert chosen["margin"].tolist() == [6]

    def test_refuses_to_cut_a_pair(self):
        with pytest.raises(ValueError, match="a pair was cut in two"):
            batch([2, 2], pairs=[(0, 1)]).select([0])

    def test_keeps_what_belongs_to_the_whole_batch(self):
        b = batch([2, 2]).add({"kl_weight": torch.tensor(0.3), "seed": 7}, {"kl_weight": "", "seed": ""})
        assert float(b.select([1])["kl_weight"]) == 0.3
        assert b.select([1])["seed"] == 7

    def test_wide_tensors_follow_their_tokens(self):
        b = batch([2, 2]).add({"logits": torch.arange(8.0).reshape(4, 2)}, {"logits": "T V"})
        assert b.select([1])["logits"].tolist() == [[4, 5], [6, 7]]


class TestAdd:
    def test_what_was_not_written_cannot_be_nan(self):
        rows = [Row(0, (1, 2, 3), (False, False, True), (False, True, True))]
        x = torch.tensor([math.nan, math.nan, math.inf])
        added = collate(rows).add({"ref_logp": x}, {"ref_logp": "T"})["ref_logp"]
        assert added[0] == 0  # a prompt token
        assert added[1].isnan()  # written, not trained: it may be measured, so it must not be hidden
        assert added[2].isinf()  # trained

    def test_does_not_change_the_batch(self):
        b = batch([2])
        b.add({"seed": 1}, {"seed": ""})
        assert "seed" not in b

    def test_only_keeps_the_named(self):
        assert set(batch([2]).only(("tokens", "rows", "absent"))) == {"tokens", "rows"}

    def test_to_moves_the_rows_too(self):
        moved = batch([2, 2], pairs=[(0, 1)]).to(torch.device("meta"))
        assert {x.device.type for x in moved.values() if isinstance(x, torch.Tensor)} == {"meta"}
        assert moved["rows"].index.is_meta
        assert moved["written"].mask.is_meta


class TestUnits:
    def test_without_links_every_row_is_its_own(self):
        assert batch([2, 2, 2], pairs=[(0, 1)], group=[1, 1, 1]).units(()) == [[0], [1], [2]]

    def test_pairs_tie_rows_even_through_a_shared_answer(self):
        b = batch([2] * 5, pairs=[(0, 1), (3, 1)])
        assert sorted(b.units(("pairs",))) == [[0, 1, 3], [2], [4]]

    def test_groups_tie_rows_that_are_apart(self):
        assert batch([2] * 5, group=[7, 8, 7, 9, 8]).units(("group",)) == [[0, 2], [1, 4], [3]]

    def test_pairs_and_groups_together(self):
        b = batch([2] * 4, pairs=[(1, 2)], group=[1, 1, 2, 3])
        assert b.units(("pairs", "group")) == [[0, 1, 2], [3]]


class TestPack:
    def test_fills_up_to_the_limit_in_order(self):
        packs = batch([3, 2, 4, 1]).pack((), 5)
        assert [p["row_id"].tolist() for p in packs] == [[1000, 1001], [1002, 1003]]

    def test_as_few_as_can_be_and_then_as_even_as_can_be(self):
        """Against every way to cut the row of rows."""
        drawn = random.Random(0)
        for limit in range(9, 40):
            sizes = [drawn.randint(1, 9) for _ in range(8)]
            ways = [
                [sum(sizes[a:b]) for a, b in itertools.pairwise((0, *cuts, len(sizes)))]
                for count in range(len(sizes))
                for cuts in itertools.combinations(range(1, len(sizes)), count)
            ]
            best = min((len(way), max(way)) for way in ways if max(way) <= limit)
            found = [len(p["tokens"]) for p in batch(sizes).pack((), limit)]
            assert (len(found), max(found)) == best

    def test_keeps_units_whole(self):
        packs = batch([3, 2, 3, 2], pairs=[(0, 3), (1, 2)]).pack(("pairs",), 5)
        assert [p["row_id"].tolist() for p in packs] == [[1000, 1003], [1001, 1002]]
        assert [p["pairs"].tolist() for p in packs] == [[[0, 1]], [[0, 1]]]

    def test_one_pack_is_the_batch_itself(self):
        b = batch([3, 2])
        assert b.pack((), 5)[0] is b

    def test_a_unit_that_is_too_large_names_the_number_to_set(self):
        with pytest.raises(
            ConfigError, match=r"2 rows tied by pairs hold 7 tokens, but train.tokens_per_device is 6: raise it to 7"
        ):
            batch([3, 4], pairs=[(0, 1)]).pack(("pairs",), 6)

    def test_a_row_that_is_too_large_names_the_number_to_set(self):
        with pytest.raises(ConfigError, match="a row holds 9 tokens, but train.tokens_per_device is 6: raise it to 9"):
            batch([3, 9]).pack((), 6)


class TestPrefixes:
    PROMPTS = [(1, 2, 3), (1, 2, 4), (1, 2, 3), (1, 2), (1, 2, 3)]

    def batch(self, links=None, answer=2):
        made = []
        for i, prompt in enumerate(self.PROMPTS):
            mask = (False,) * len(prompt) + (True,) * answer
            made.append(Row(i, prompt + (9,) * answer, mask, mask))
        return collate(made, links)

    def test_lead_is_what_stands_before_the_first_masked_in_token(self):
        assert some_rows([[0, 0, 1, 0], [], [1], [0, 0, 0], [0, 1]]).prefix_length().tolist() == [2, 0, 0, 2, 1]

    def test_rows_begin_alike_if_all_tokens_of_their_leads_are_equal(self):
        b = self.batch()
        found = b["written"].prefixes(b["tokens"])
        assert [[a == x for x in found] for a in found] == [[p == x for x in self.PROMPTS] for p in self.PROMPTS]

    def test_a_repeated_prefix_counts_as_told(self):
        def packed(limit, repeated):
            return [p["row_id"].tolist() for p in self.batch().pack((), limit, repeated)]

        assert packed(13, 1.0) == [[0, 1], [2, 3], [4]]  # 5 + 5 | 5 + 4 | 5
        assert packed(13, 0.75) == [[0, 1], [2, 3], [4]]  # the last two would be 5 + 4 + 4.25
        assert packed(14, 0.75) == [[0, 1], [2, 3, 4]]
        assert packed(13, 0.0) == [[0, 1], [2, 3, 4]]  # 5 + 5 | 5 + 4 + 2
        assert packed(8, 0.0) == [[0], [1], [2], [3], [4]]  # a new micro-batch reads it anew
        assert packed(18, 0.0) == [[0, 1, 2, 3, 4]]

    def test_a_unit_repeats_prefixes_too(self):
        links = [(0, 2), (1, 3)]
        assert len(self.batch(links).pack(("pairs",), 9, 0.0)) == 3
        with pytest.raises(ConfigError, match="2 rows tied by pairs hold 9 tokens"):
            self.batch(links).pack(("pairs",), 8, 0.0)
        with pytest.raises(ConfigError, match="2 rows tied by pairs hold 8 tokens"):
            self.batch([(0, 2)]).pack(("pairs",), 7, 0.25)  # 7.75


class TestSpectators:
    def spectating(self, untrained, **columns):
        rows = []
        for i in range(4):
            trained = (False, i not in untrained)
            rows.append(Row(i, (1, 2), trained, (False, True), {k: c[i] for k, c in columns.items()}))
        return collate(rows)

    def test_rows_without_trained_tokens_are_dropped(self):
        assert self.spectating({1, 2}).without_spectators(())["row_id"].tolist() == [0, 3]

    def test_a_unit_with_one_trained_row_stays_whole(self):
        b = self.spectating({0, 1, 2}, group=[5, 5, 6, 6])
        assert b.without_spectators(("group",))["row_id"].tolist() == [2, 3]

    def test_without_spectators_nothing_is_copied(self):
        b = self.spectating(())
        assert b.without_spectators(()) is b


class TestDeal:
    def test_every_unit_is_dealt_once(self):
        b = batch([2] * 10, pairs=[(i, i + 1) for i in range(0, 10, 2)])
        hands = b.deal(("pairs",), 2, seed=3)
        assert sorted(i for h in hands for i in h["row_id"].tolist()) == list(range(1000, 1010))
        assert [len(h["pairs"]) for h in hands] == [2, 3]

    def test_hands_do_not_depend_on_the_order_of_the_rows(self):
        b = batch([2] * 9)
        turned = b.select([4, 2, 8, 0, 1, 3, 7, 6, 5])
        for mine, theirs in zip(b.deal((), 3, seed=1), turned.deal((), 3, seed=1), strict=True):
            assert set(mine["row_id"].tolist()) == set(theirs["row_id"].tolist())

    def test_a_hand_keeps_the_order_of_the_batch(self):
        for hand in batch([2] * 9).deal((), 3, seed=1):
            assert hand["row_id"].tolist() == sorted(hand["row_id"].tolist())

    def test_the_seed_shuffles(self):
        b = batch([2] * 12)
        assert len({tuple(b.deal((), 2, seed=s)[0]["row_id"].tolist()) for s in range(5)}) == 5

    def test_one_hand_is_the_batch_itself(self):
        b = batch([2] * 3)
        assert b.deal((), 1, seed=0)[0] is b

    @pytest.mark.fault("F2")
    def test_too_few_units_is_an_error_with_a_remedy(self):
        with pytest.raises(ConfigError, match=r"3 minibatches .* only 2 units tied by pairs: raise"):
            batch([2] * 4, pairs=[(0, 1), (2, 3)]).deal(("pairs",), 3, seed=0)


class TestKeyedUniform:
    def test_depends_on_the_id_alone(self):
        ids = torch.tensor([5, 9, 2**55])
        assert torch.equal(keyed_uniform(1, ids), keyed_uniform(1, ids.flip(0)).flip(0))
        assert not torch.equal(keyed_uniform(1, ids), keyed_uniform(2, ids))

    def test_is_uniform(self):
        x = keyed_uniform(0, torch.arange(4000))
        assert 0 <= float(x.min()) < 0.01
        assert 0.99 < float(x.max()) < 1
        assert float(x.mean()) == pytest.approx(0.5, abs=0.02)
        assert float(x.var()) == pytest.approx(1 / 12, abs=0.005)


class TestVocabulary:
    def test_a_head_is_a_trained_output_and_the_same_before_the_update(self):
        fields = head("cost_value", "cost_critic", "value", "value of the cost critic")
        assert {n: (f.axes, f.source.when) for n, f in fields.items()} == {
            "cost_value": ("T", When.LIVE),
            "old_cost_value": ("T", When.ONCE),
        }

    def test_axes_start_with_a_letter_that_can_be_cut(self):
        assert {f.axes[:1] for f in FIELDS.values()} <= {"T", "B", "N", ""}

    def test_every_once_output_of_a_trained_model_has_a_live_twin(self):
        live = {(f.source.model, f.source.output) for f in FIELDS.values() if f.source and f.source.when is When.LIVE}
        assert {("policy", "logp"), ("critic", "value")} <= live


def test_a_batch_is_a_mapping():
    b = batch([2])
    assert isinstance(b, Batch)
    assert dict(b).keys() == {"tokens", "rows", "written", "row_id"}
    assert len(b) == 4


def test_position_counts_the_tokens_in_the_mask_of_each_row():
    rows = Rows(torch.tensor([0, 0, 0, 0, 1, 1, 2]), torch.tensor([0, 1, 0, 1, 0, 1, 0]).bool(), 3)
    assert rows.position().tolist() == [0, 0, 0, 1, 0, 0, 0]

    def test_rows_of_random_numbers_depend_on_their_own_id_alone(self):
        ids = torch.tensor([4, 8])
        x = keyed_rows(1, ids, 1000)
        assert torch.equal(x.flip(0), keyed_rows(1, ids.flip(0), 1000))
        assert torch.equal(x[:, :10], keyed_rows(1, ids, 10))
        assert not torch.equal(x, keyed_rows(2, ids, 1000))
        assert abs(float(x[0].mean()) - 0.5) < 0.05
        assert abs(float((x[0] * x[1]).mean()) - 0.25) < 0.05
