"""Language models that plan with what a learner can do. Each run compares the planner with one without the model."""
