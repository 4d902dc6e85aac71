"""One module a method that decides frame by frame whether a nanocrystal is on."""
