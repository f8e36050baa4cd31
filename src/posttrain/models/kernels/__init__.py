"""Kernels: the inner loops of a model, in torch and, where torch's operators cost too much, in C++."""
