"""When each nanocrystal is on, and what follows: on-fractions, dwell times, photostability."""
