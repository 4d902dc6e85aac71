"""What an image of microspheres must be, at least, for them to be found.

Apart from the search, which takes seconds to load, so that the check of the sample sheet can use
the same limits. Input: nothing. Output: the limits.
"""

MIN_DIAMETER_PX = 3.0
MIN_DIAMETERS = 3  # across the image
# Share of the pixels at the largest value. Simulated spheres with a dark centre are found up to
# here; those with a bright one are missed from 30 % on where the noise is strong. From 97 % on,
# pieces of rings are found 4 to 5 px from the centres.
MAX_SATURATED_SHARE = 0.95
