"""Deal random subsets of a dataset, each record with the same probability and independently of all others."""

from __future__ import annotations

import torch

from posttrain.data.feed import Feed
from posttrain.records import Record
from posttrain.seeds import seed_for


class PoissonFeed(Feed):
    """A feed whose batches have the expected size `count`, and may be empty: what the accounting of privacy assumes.

    `position` counts the records that were expected so far.
    """

    def take(self, count: int) -> list[Record]:
        """Draw a batch. It depends on the seed and the position alone."""
        generator = torch.Generator().manual_seed(seed_for(self.seed, "poisson", self.position))
        drawn = torch.rand(len(self.dataset), generator=generator, dtype=torch.float64) < count / len(self.dataset)
        self.position += count
        return [self.dataset[i] for i in drawn.nonzero()[:, 0].tolist()]
