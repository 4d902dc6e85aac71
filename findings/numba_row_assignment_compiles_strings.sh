#!/usr/bin/env bash
# numba 0.68.1: table[i] = row in a compiled function has 15 functions for text compiled, 1.5 s.
#
# A kernel that fits many things writes each result as a row of an array: table[i] = row, as one does with NumPy. One
# expects it to cost what a loop over the elements costs. It has 35 more functions compiled, 15 of them numba's own
# strings: join, concatenation, code points. They are for the message of an error, "cannot assign slice of shape (2,)
# from input of shape (3,)", which is put together in the compiled code, as the shapes are known only there. That is
# done once a process, in the first function that has such a line: the function below takes 1.9 s instead of 0.4 s to
# compile. Nothing hints at it, and where it is found by taking one such line out, the time is spent in the next one.
# A remedy: for j in range(len(row)): table[i, j] = row[j]. Assigning a number, table[i] = 0.0, is quick.
#
# Seen: functions compiled with a row 38, of them for text 15; with a loop 3 and 0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numba==0.68.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import numpy as np
from numba import njit
from numba.core import event


class Compiled(event.Listener):
    def __init__(self):
        self.modules = []

    def on_start(self, started):
        self.modules.append(started.data["dispatcher"].py_func.__module__)

    def on_end(self, ended):
        pass


@njit
def warm_up(x):
    return x + 1


@njit
def by_loop(table):
    for i in range(len(table)):
        row = np.cumsum(table[i])
        for j in range(len(row)):
            table[i, j] = row[j]


@njit
def by_row(table):
    for i in range(len(table)):
        row = np.cumsum(table[i])
        table[i] = row


warm_up(1)
counts, results = [], []
for function in (by_loop, by_row):
    table = np.ones((4, 3))
    seen = Compiled()
    start = time.process_time()
    with event.install_listener("numba:compile", seen):
        function(table)
    text = sum(module == "numba.cpython.unicode" for module in seen.modules)
    print(f"{function.__name__}: {len(seen.modules)} functions compiled, {text} of them for text, "
          f"{time.process_time() - start:.1f} s")
    counts.append(text)
    results.append(table.tolist())
sys.exit(0 if results[0] == results[1] and counts[0] == 0 and counts[1] >= 10 else 1)
PYTHON
