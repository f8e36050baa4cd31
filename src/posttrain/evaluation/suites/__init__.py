"""The suites that ship, in folders by what they measure, one function a file: `false_belief` is the function of
capability/false_belief.py.
"""
