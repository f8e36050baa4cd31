"""The composition root: builds everything that a run file describes, runs it and saves the models."""
