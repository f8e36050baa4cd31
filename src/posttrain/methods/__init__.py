"""The catalogue: one file for each published method, named by its path. There is no registry.

Each file opens with the title of the paper and its authors, then what the method is, its formula, and what
differs from its parent. `METHOD` is the record; `posttrain explain PATH` prints both.
"""
