"""Feedback from language models: labels, critiques, revisions and contrasts of prompts."""
