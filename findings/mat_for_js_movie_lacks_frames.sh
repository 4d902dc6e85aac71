#!/usr/bin/env bash
# mat-for-js 1.1.0: of a movie of 2 x 3 px and four frames from a MATLAB file nine of the 24 numbers are missing, and
# six are at their place.
#
# An array of rows, columns and frames, 0 to 23, and a table of two emitters and three frames, saved by
# scipy.io.savemat() in the format of MATLAB 5, as MATLAB's own save -v6 does. read() of the table is right. Of the
# movie the shape is right; the first pixel is 0, 16, 1, 17 where it is 0, 1, 2, 3. One expects the numbers of the file
# in some order. In the file the rows vary fastest, then the columns: from one frame to the next there are 6 numbers,
# but read() goes on by 3, the number of columns, so that the end of the file is never read and other numbers are read
# twice. There is no error, and noise hides it: a trace is mixed of pixels and times.
# A remedy: movies as tables, reshape(movie, rows * columns, frames), which are right.
#
# Seen: table right; movie: 15 of 24 numbers there, 6 at their place; as a table of 6 pixels and 4 frames right
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile scipy==1.17.1 numpy==2.4.6
cd "$folder"
npm install --prefix . --silent --no-audit --no-fund mat-for-js@1.1.0 > log 2>&1 || { cat log; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from scipy.io import loadmat, savemat

movie = np.arange(24.0).reshape(2, 3, 4)
savemat("arrays.mat", {"table": np.arange(6.0).reshape(2, 3), "movie": movie, "pixels": movie.reshape(6, 4)})
assert np.array_equal(loadmat("arrays.mat")["movie"], movie)
PYTHON
cat > read.cjs <<'JAVASCRIPT'
const { readFileSync } = require("fs");
const { read } = require("mat-for-js");

const bytes = readFileSync("arrays.mat");
const { data } = read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const seen = {};
for (const name of ["table", "pixels", "movie"]) {
  const numbers = data[name].flat(Infinity);
  const there = new Set(numbers).size;
  const atPlace = numbers.filter((number, index) => number === index).length;
  seen[name] = [numbers.length, there, atPlace];
  console.log(`${name}: ${numbers.length} numbers, ${there} different, ${atPlace} at their place`);
}
console.log(JSON.stringify(data.movie));
const asSeen = { table: [6, 6, 6], pixels: [24, 24, 24], movie: [24, 15, 6] };
process.exit(JSON.stringify(seen) === JSON.stringify(asSeen) ? 0 : 1);
JAVASCRIPT
node read.cjs
