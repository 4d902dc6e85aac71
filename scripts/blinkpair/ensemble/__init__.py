"""Decays and spectra of films: what annealing did to the ensemble beside the single nanocrystals."""
