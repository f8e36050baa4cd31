"""Metrics of answers and scores that suites read: pure functions, with golden numbers in their tests."""
