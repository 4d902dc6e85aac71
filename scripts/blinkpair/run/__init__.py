"""A run of the workflow: its start, its folder, its logs and failures, its record."""
