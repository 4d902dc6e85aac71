#!/usr/bin/env bash
# jcampconverter 12.5.3: a JCAMP-DX spectrum of five values with exponents, 1.5E-03, has fifteen: 1.5, 5, -3.
#
# A table (X++(Y..Y)) with NPOINTS=5 and the values 1.5E-03, 2.5E-03, 3.5E-03, 2.5E-03, 1.5E-03, as the free format
# (AFFN) of JCAMP-DX allows them: an E, a sign and two digits. convert() gives 15 points from 500 to 514 nm instead of
# five from 500 to 504, with the values 1.5, 5, -3, 2.5, 5, -3 and so on, and no error or entry in its logs. One
# expects the five values, or a complaint that NPOINTS does not fit. E is the digit +5 in the packed formats of the
# same tables, and the reader takes it for that in the free one as well. The same numbers as 0.0015 are right.
# A remedy: whole numbers and YFACTOR, as most instruments write them.
#
# Seen: 15 points, 500 to 514 nm, 1.5, 5, -3; without exponents 5 points, 500 to 504 nm, 0.0015
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --prefix . --silent --no-audit --no-fund jcampconverter@12.5.3 > log || { cat log; exit 1; }
cat > read.mjs <<'JAVASCRIPT'
import { convert } from "jcampconverter";

/** Points of a spectrum with the values as they stand in the file. */
function read(values) {
  const file = [
    "##TITLE=film", "##JCAMP-DX=4.24", "##DATA TYPE=UV/VIS SPECTRUM", "##XUNITS=NANOMETERS", "##YUNITS=ABSORBANCE",
    "##FIRSTX=500", "##LASTX=504", "##DELTAX=1", "##XFACTOR=1", "##YFACTOR=1", "##NPOINTS=5", "##FIRSTY=0.0015",
    "##XYDATA=(X++(Y..Y))", `500 ${values}`, "##END=", "",
  ].join("\n");
  const result = convert(file);
  return { ...result.flatten[0].spectra[0].data, logs: result.logs ?? [] };
}

const exponents = read("1.5E-03 2.5E-03 3.5E-03 2.5E-03 1.5E-03");
const plain = read("0.0015 0.0025 0.0035 0.0025 0.0015");
for (const [name, { x, y, logs }] of Object.entries({ exponents, plain })) {
  const values = y.slice(0, 5).join(", ");
  console.log(`${name}: ${x.length} points, ${x[0]} to ${x.at(-1)} nm, ${values}; logs ${logs.length}`);
}
const wrong = exponents.x.length === 15 && exponents.x.at(-1) === 514 && exponents.y.slice(0, 3).join() === "1.5,5,-3";
process.exit(wrong && exponents.logs.length === 0 && plain.y.join() === "0.0015,0.0025,0.0035,0.0025,0.0015" ? 0 : 1);
JAVASCRIPT
node read.mjs
