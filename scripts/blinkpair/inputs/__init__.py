"""Settings and sample sheet, read and checked before anything runs."""
