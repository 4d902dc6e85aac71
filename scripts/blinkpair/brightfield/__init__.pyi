from .microspheres import find_microspheres as find_microspheres
