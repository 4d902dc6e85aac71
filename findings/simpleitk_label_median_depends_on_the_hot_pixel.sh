#!/usr/bin/env bash
# SimpleITK 2.5.7: the median of a label is 297 counts where the background is 100, because of one hot pixel elsewhere
# in the frame.
#
# A frame of 64 x 64 px, Poisson counts with a mean of 100, and one pixel of 60,000. The label is an annulus of 192 px
# that does not contain it. LabelIntensityStatisticsImageFilter states its mean, minimum and maximum exactly. One
# expects the same of the median, or at least that it depends on the pixels of the label alone: it is what one takes
# for the background because a bright pixel does not change it. It is read from a histogram of 128 bins between the
# smallest and the largest value of the whole frame: here each bin is 468 counts wide, so that the median lies above
# the largest count of the annulus. LabelStatisticsImageFilter, with 256 bins, has another wrong number. With a spot of
# 5,000 counts in the place of the hot pixel the median is 82, which nobody sees. There is no warning.
# A remedy: numpy.median() of the pixels of the label, or more bins by SetNumberOfBins().
#
# Seen: intensity filter, label filter, numpy: 100.2, 100.0, 100.0 without a bright pixel; 82.3, 91.9, 100.0 with one of
# 5,000 counts; 297.1, 180.1, 100.0 with one of 60,000; the largest of the annulus 143
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check simpleitk==2.5.7 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import SimpleITK as sitk

frame = np.random.default_rng(0).poisson(100, (64, 64)).astype(np.uint16)
y, x = np.mgrid[:64, :64]
distance = np.hypot(y - 32, x - 32)
annulus = ((distance > 6) & (distance < 10)).astype(np.uint8)
label = sitk.GetImageFromArray(annulus)

medians = {}
for bright in (100, 5_000, 60_000):
    frame[5, 5] = bright  # outside the annulus
    image = sitk.GetImageFromArray(frame)
    intensity = sitk.LabelIntensityStatisticsImageFilter()
    intensity.Execute(label, image)
    statistics = sitk.LabelStatisticsImageFilter()
    statistics.Execute(image, label)
    inside = frame[annulus > 0]
    assert abs(intensity.GetMean(1) - inside.mean()) < 1e-9 and intensity.GetMaximum(1) == inside.max()
    medians[bright] = intensity.GetMedian(1), statistics.GetMedian(1), float(np.median(inside))
    numbers = ", ".join(f"{median:.1f}" for median in medians[bright])
    print(f"brightest pixel {bright}: medians {numbers}; largest of {inside.size} px {inside.max()}")
plain, spot, hot = medians[100], medians[5_000], medians[60_000]
as_seen = all(abs(median - plain[2]) < 1 for median in plain)
as_seen &= spot[2] - spot[0] > 10 and hot[0] > frame[annulus > 0].max() and hot[1] - hot[2] > 50
sys.exit(0 if as_seen else 1)
PYTHON
