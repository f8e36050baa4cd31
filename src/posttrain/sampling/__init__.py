"""Answers from models: the native engine, and the laws that tokens are drawn from."""
