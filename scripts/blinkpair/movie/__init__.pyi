from .movie import Movie as Movie
from .movie import from_array as from_array
from .reader import open_movie as open_movie
from .reader import read_image as read_image
