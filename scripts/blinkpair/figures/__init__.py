"""The figures: tables and arrays in, matplotlib figures out, one module a family."""
