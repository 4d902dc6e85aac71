"""One module a file format: a file in, a `Source` of frames out; `registry` chooses the module."""
