"""Trackers: TensorBoard, trackio, W&B and MLflow get what a run writes to its folder. None can stop a run."""
