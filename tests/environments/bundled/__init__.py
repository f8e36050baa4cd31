"""Tests of the environments that ship."""
