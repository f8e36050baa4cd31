"""Planning with a language model: what it says, what the learner can do, and who has the last word."""
