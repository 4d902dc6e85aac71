"""The nanocrystals of one movie: where they are, how the sample drifted, which frames are sound."""
