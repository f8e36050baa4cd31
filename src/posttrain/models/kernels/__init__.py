"""The inner loops of a model: in torch, and in C++ where torch's operators cost too much."""
