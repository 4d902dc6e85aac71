#!/usr/bin/env bash
# astropy 8.0.2: rayleightest() of ten angles that agree returns a negative p value, -5e-6.
#
# The angles of polarization of ten emitters on a stretched film, 40 degrees with a scatter of 10. The Rayleigh test
# asks whether angles prefer a direction; one expects a p value between 0 and 1, here a very small one, and a smaller one
# the better they agree. For fewer than 50 angles a series corrects the leading term exp(-n R^2). Its terms are derived
# for weak alignment; strong alignment makes their sum negative, for about 8 to 11 angles, and p with it. -log10(p) and
# corrections for several tests then give NaN or nonsense, and a test for p < 0.05 is passed by a number that is no
# probability. There is no warning. Near these numbers of angles p is positive, but it is neither monotonic.
# A remedy: pingouin.circ_rayleigh(), or exp(sqrt(1 + 4 n + 4 (n^2 - n^2 R^2)) - (1 + 2 n)), which is what it computes.
#
# Seen: SEEN
# Exits with 1 if the behaviour has changed.
