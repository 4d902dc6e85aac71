"""The data of the interactive report: arrays and tables in, what JSON can hold out."""
