"""The desk: what people are asked, who gets which item, what they said, and how far they agree."""
