#!/usr/bin/env bash
# xarray 2026.9.0: the first Dataset, of NumPy arrays alone, imports all of dask.array, where dask is
# installed; once xarray is imported, hiding dask raises an error at the first index.
#
# `import xarray` itself is light: it does not import dask. But to see whether an array is one of dask's, the first
# Dataset imports the module whose class it compares with, instead of looking whether anybody has imported
# it: an array of a module that is not loaded does not exist. In short scripts that read or write one NetCDF
# file that is a third of their time, and dask often comes along with another package (nd2, here).
# One expects `sys.modules["dask"] = None` to make it absent. Before `import xarray` it does; after it xarray
# has noted that there is a dask, and fails with "No module named 'dask.base'".
#
# Seen: modules of dask after the import 0, after a Dataset over 100; hidden before the import: 0;
# hidden after it: ModuleNotFoundError
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  xarray==2026.9.0 dask==2026.8.0 numpy==2.4.6 pandas==3.1.1
run() { "$folder/venv/bin/python" -c "
import sys
def loaded():
    return sum(name.startswith('dask.') for name in sys.modules)
$1"; }
seen=$(run "
import xarray as xr
before = loaded()
xr.Dataset({'a': ('x', [1.0])})
print(before, loaded() > 100)")
hidden=$(run "
sys.modules['dask'] = None
import xarray as xr
xr.Dataset({'a': ('x', [1.0])}, {'x': [0]})
print(loaded())")
late=$(run "
import xarray as xr
sys.modules['dask'] = None
try:
    xr.Dataset({'a': ('x', [1.0])}, {'x': [0]})
    print('no error')
except ModuleNotFoundError:
    print('ModuleNotFoundError')")
echo "after the import, and over 100 after a Dataset: $seen; hidden before: $hidden; hidden after: $late"
[ "$seen / $hidden / $late" = "0 True / 0 / ModuleNotFoundError" ]
