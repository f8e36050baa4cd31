"""Language models as judges, behind an endpoint: a score, a comparison in both orders, a rubric, labels for pairs."""
