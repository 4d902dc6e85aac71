#!/usr/bin/env bash
# image-js 1.7.0: the ellipse of a round particle of 20 px has axes of 28 and 14 px, more unlike than those of a rod.
#
# Masks of a disc with a diameter of 20 px and of an ellipse of 40 by 20 px, as segmented nanocrystals of a TEM image.
# roi.ellipse, the ellipse with the moments and the area of the particle, has axes of 28.4 and 14.2 px for the disc and
# 33.8 and 23.7 px for the rod. One expects 20.1 px twice, which is eqpc, the diameter by the area, and 40 by 20 px.
# The area of the ellipse is right. The length of the minor axis is taken from an end of the minor axis to an end of
# the major one, and both are then scaled to the area: the aspect ratio of the disc is 2.0 and that of the rod 1.4, so
# that round particles look like rods, and rods rounder than they are.
# A remedy: the points of the axes, which have the right ratio, 1.0 and 2.0, with eqpc.
#
# Seen (axes in px, ratio, ratio by the points): disc 28.4, 14.2, 2.0, 1.0; rod 33.8, 23.7, 1.4, 2.0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --prefix . --silent --no-audit --no-fund image-js@1.7.0 > log 2>&1 || { cat log; exit 1; }
cat > measure.mjs <<'JAVASCRIPT'
import { Mask, fromMask } from "image-js";

const SIDE = 81;

/** Axes of the particle with two half axes: by the lengths, by the points, and the diameter by the area. */
function measure(columns, rows) {
  const mask = new Mask(SIDE, SIDE);
  const middle = (SIDE - 1) / 2;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const inside = ((column - middle) / columns) ** 2 + ((row - middle) / rows) ** 2 <= 1;
      if (inside) mask.setBit(column, row, 1);
    }
  }
  const [roi] = fromMask(mask).getRois({ kind: "white" });
  const axes = [roi.ellipse.majorAxis, roi.ellipse.minorAxis];
  const between = ([a, b]) => Math.hypot(a.column - b.column, a.row - b.row);
  const points = axes.map((axis) => between(axis.points));
  return { lengths: axes.map((axis) => axis.length), points, byArea: roi.eqpc };
}

const ratio = ([major, minor]) => major / minor;
const particles = { disc: measure(10, 10), rod: measure(20, 10) };
for (const [name, { lengths, points, byArea }] of Object.entries(particles)) {
  const axes = lengths.map((length) => length.toFixed(1)).join(" and ");
  const ratios = [lengths, points].map((pair) => ratio(pair).toFixed(2)).join(", by the points ");
  console.log(`${name}: axes ${axes} px, ratio ${ratios}; diameter by area ${byArea.toFixed(1)} px`);
}
const near = (value, expected, by) => Math.abs(value - expected) < by;
const { disc, rod } = particles;
const seen = near(disc.lengths[0], 28.4, 0.1) && near(disc.lengths[1], 14.2, 0.1) && near(disc.byArea, 20.1, 0.1);
const right = near(ratio(disc.points), 1, 0.01) && near(ratio(rod.points), 2, 0.1);
process.exit(seen && right && ratio(rod.lengths) < 1.5 ? 0 : 1);
JAVASCRIPT
node measure.mjs
