"""What a run writes to disk: metrics, samples, checkpoints, named results, provenance."""
