"""The search for a transform between two point patterns without a start."""
