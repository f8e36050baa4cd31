"""Games: players against each other, or against their earlier selves."""
