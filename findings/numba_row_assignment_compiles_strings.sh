#!/usr/bin/env bash
# numba 0.68.1: table[i] = row in a compiled loop compiles dozens of functions of text; the loop over its numbers none.
#
# A kernel stores a row of numbers, table[i] = row or table[i, :] = row, as one writes it in NumPy. One expects the cost
# of the loop `for j: table[i, j] = row[j]`. numba checks the shapes at run time and builds the text of the error in
# compiled code: representation of tuples, integers and strings, each compiled on the first call. They are compiled
# again for every process without a cache, and into every kernel with one. In the kernels of this project it was two
# of thirteen seconds of the first run. A row that is filled with one number, table[i, :] = 0.0, has no such check.
# A remedy: the loop.
#
# Seen: functions compiled for the loop 1, for the row of one number 1, for the row of an array 38
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numba==0.68.1 numpy==2.4.6
cd "$folder"
cat > count.py <<'PYTHON'
import sys

import numpy as np
from numba import njit
from numba.core import event


def loop(table, row):
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            table[i, j] = row[j]


def number(table, row):
    for i in range(table.shape[0]):
        table[i, :] = row[0]


def whole(table, row):
    for i in range(table.shape[0]):
        table[i] = row


class Count(event.Listener):
    names = []

    def on_start(self, started):
        self.names.append(started.data["dispatcher"].py_func.__qualname__)

    def on_end(self, ended):
        pass


table = np.zeros((3, 2))
with event.install_listener("numba:compile", Count()):
    njit({"loop": loop, "number": number, "array": whole}[sys.argv[1]])(table, np.ones(2))
assert table.min() == 1
print(len(Count.names), sum("unicode" in name or "repr" in name for name in Count.names))
PYTHON
for how in loop number array; do
  counts=$("$folder/venv/bin/python" count.py "$how")
  echo "$how: functions compiled, and of them for text: $counts"
  set -- "$@" $counts
done
[ "$2" -eq 0 ] && [ "$4" -eq 0 ] && [ "$5" -gt 20 ] && [ "$6" -gt 3 ] || exit 1
