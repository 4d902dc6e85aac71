"""What an image of microspheres must be, at least, for them to be found.

Apart from the search, which takes seconds to load, so that the check of the sample sheet can use
the same limits. Input: nothing. Output: the limits.
"""

MIN_DIAMETER_PX = 3.0
MIN_DIAMETERS = 3  # across the image
# Of the pixels, at the largest value. Simulated spheres are found as exactly as ever up to here; from
# 97 % on, pieces of rings are found in their place.
MAX_SATURATED_SHARE = 0.95
