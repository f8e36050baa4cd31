"""Settings that a speaker proposes and a search tries: of a small learner, or of any run file."""
