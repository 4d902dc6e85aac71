"""One format a module: a file of a spectrometer -> a decay or a matrix."""
