"""Language models that help small learners in worlds that are not text. Each run compares help with none."""
