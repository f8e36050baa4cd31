"""Search: over partial answers, as trees of steps that strategies grow; and over whole artefacts (evolution/)."""
