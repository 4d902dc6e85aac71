"""Fields whose files hold a header as JSON, and a reader for them."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from blinkpair.errors import ChoiceError, InputError
from blinkpair.inputs.checking import check_inputs, examine_inputs
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.settings import load_settings
from blinkpair.inputs.sheet import read_fields

HEADER = ["field", "temperature_c", *PATH_COLUMNS]
ANY = {
    "dtype": "uint16",
    "format": "ND2",
    "acquired_s": None,
    "notes": (),
    "exposure_from": "",
    "pixel_size_from": "",
    "camera_exposure_s": None,
    "paths": (),
}
MOVIE = {"shape": [20000, 512, 512], "exposure_s": 0.02, "pixel_size_um": 0.16, **ANY}
IMAGE = {"shape": [1, 512, 512], "exposure_s": None, "pixel_size_um": None, **ANY}


SILENT = {"exposure_s": None}


def open_header(path):
    """Return what a file holds as JSON, as if it were the header of a movie."""
    header = json.loads(Path(path.partition("::")[0]).read_text())
    for key, kind in (("damaged", InputError), ("choice", ChoiceError)):
        if key in header:
            raise kind(*header[key], place=path)
    header["paths"] = [Path(path).parent / name for name in header["paths"]]
    return SimpleNamespace(**header)


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.rows = []

    def file(self, name, header):
        # Two files of one content would be copies.
        (self.folder / name).write_text(json.dumps({**header, "name": name}))
        return name

    def field(self, name="A", temperature="70", paths=None, **headers):
        """Add one field; a keyword changes the header of one of its files, None removes it."""
        cells = {}
        for column in PATH_COLUMNS:
            header = {**(MOVIE if column.endswith("pl") else IMAGE), **(headers.get(column) or {})}
            cells[column] = self.file(f"{name}_{column}", header)
            if column in headers and headers[column] is None:
                (self.folder / cells[column]).unlink()
        cells |= paths or {}
        self.rows.append([name, temperature, *(cells[c] for c in PATH_COLUMNS)])

    def sheet(self, **extra):
        rows = [[*HEADER, *extra], *([*row, *extra.values()] for row in self.rows)]
        (self.folder / "fields.tsv").write_text("".join("\t".join(r) + "\n" for r in rows))

    def check(self, config=None, **extra):
        self.sheet(**extra)
        settings = load_settings({"fields": "fields.tsv", **(config or {})})
        fields = read_fields(settings["fields"], self.folder)
        return fields, check_inputs(fields, settings, self.folder, open_header)

    def examined(self, config=None):
        """Return the fields as the checks leave them, of the sheet that was written last."""
        settings = load_settings({"fields": "fields.tsv", **(config or {})})
        fields = read_fields(settings["fields"], self.folder)
        return examine_inputs(fields, settings, self.folder, open_movie=open_header)[0]

    def problems(self, config=None, **extra):
        with pytest.raises(UnsoundInputError) as caught:
            self.check(config, **extra)
        return caught.value.problems
