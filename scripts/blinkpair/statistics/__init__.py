"""Intervals that respect fields, and rank tests."""
