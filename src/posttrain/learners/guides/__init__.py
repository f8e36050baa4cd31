"""How a speaker helps a learner: each file turns what a speaker says into hooks of Q-learning, a prior or tasks."""
