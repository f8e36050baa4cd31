"""Several methods on one task: the same data, budget and seeds, measured alike, with intervals and a figure."""
