"""Players against each other, or against their earlier selves."""
