"""Language models as judges, behind an endpoint: scores, comparisons in both orders, rubrics, labels for pairs."""
