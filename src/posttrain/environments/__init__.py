"""Environments: what answers the policy, turn by turn: tools, games, simulated people, tests of programs."""
