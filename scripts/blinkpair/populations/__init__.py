"""The tables of an experiment: what annealing did, temperature by temperature."""
