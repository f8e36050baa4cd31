"""From files to batches: readers, chat templates, encoding, collation."""
