"""Registration of two brightfield images as wholes, where single microspheres do not decide."""
