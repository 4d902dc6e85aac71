"""Decays and spectra of films: the ensemble beside the single nanocrystals."""
