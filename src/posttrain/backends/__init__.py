"""The protocols Learner and Sampler and their implementations; only here may distributed libraries be imported."""
