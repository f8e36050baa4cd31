"""The rules of merging, one function a file: `slerp` is slerp in rules/slerp.py.

A rule makes one vector of several: of the weights themselves or, with a base model, of the differences from it (task
vectors). `vectors` are tensors of one shape, `weights` a number for each of them.
"""
