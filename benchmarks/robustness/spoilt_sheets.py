"""Sample sheets and configurations that are wrong, or merely saved oddly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Sheet = Callable[[str], str | bytes]


@dataclass(frozen=True)
class SheetCase:
    """A sheet (made of the text of a sound one), and a configuration.

    `says` lists what has to be in the message; empty: the sheet is read as the sound one.
    """

    name: str
    sheet: Sheet = str
    says: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)


def _cell(column: str, value: str) -> Sheet:
    """Put a value into a column of the first row."""

    def spoil(text: str) -> str:
        header, row, *rest = text.splitlines()
        cells = row.split("\t")
        cells[header.split("\t").index(column)] = value
        return "\n".join([header, "\t".join(cells), *rest]) + "\n"

    return spoil


def _header(old: str, new: str) -> Sheet:
    return lambda text: text.replace(old, new, 1)


def _each_line(change: Callable[[str], str]) -> Sheet:
    return lambda text: "".join(change(line) + "\n" for line in text.splitlines())


LINE = "sheet.tsv, line 2, column {}: "
SHEET_CASES = [
    # --- saved oddly, and read
    SheetCase("BOM", lambda text: text.encode("utf-8-sig")),
    SheetCase("CRLF line ends", lambda text: text.replace("\n", "\r\n")),
    SheetCase("trailing tabs", _each_line(lambda line: line + "\t\t")),
    SheetCase("empty lines between", lambda text: text.replace("\n", "\n\n\t\n")),
    SheetCase("semicolons", lambda text: text.replace("\t", ";")),
    SheetCase("commas", lambda text: text.replace("\t", ",")),
    SheetCase(
        "every cell in quotes",
        _each_line(lambda line: "\t".join(f'"{cell}"' for cell in line.split("\t"))),
    ),
    # --- wrong as a file
    SheetCase("no text at all", lambda _: "", ("the sample sheet is empty",)),
    SheetCase("a header alone", lambda text: text.splitlines()[0], ("a header and no rows",)),
    SheetCase("UTF-16", lambda text: text.encode("utf-16"), ("UTF-16", "save it as text")),
    SheetCase("Latin-1", lambda t: _cell("sample", "Müller")(t).encode("latin-1"), ("not UTF-8",)),
    SheetCase("a workbook", lambda _: b"PK\x03\x04" + bytes(50), ("a workbook", "save it as text")),
    SheetCase("a movie named as the sheet", lambda _: b"II*\0" + bytes(500), ("not a text file",)),
    SheetCase("spaces for tabs", lambda t: t.replace("\t", "    "), ("neither tabs, commas nor",)),
    SheetCase("no such sheet", config={"fields": "shet.tsv"}, says=("did you mean sheet.tsv",)),
    SheetCase("a folder as the sheet", config={"fields": "movies"}, says=("this is a folder",)),
    SheetCase(
        "a title above the header",
        lambda text: "My sheet\n\n" + text,
        ("sheet.tsv, line 1: the header is on line 3", "remove what is above it"),
    ),
    SheetCase("a separator by Excel", lambda text: "sep=;\n" + text, ("the header is on line 2",)),
    # --- wrong columns
    SheetCase("a column twice", _header("sample", "field"), ("field", "twice")),
    SheetCase("a column misspelt", _header("post_pl", "post_pI"), ("post_pI", "post_pl")),
    SheetCase("a column missing", _header("temperature_c", "warmth"), ("temperature_c",)),
    SheetCase("a name of the results' own", _header("sample", "nc_id"), ("nc_id",)),
    # --- wrong cells
    SheetCase(
        "a path in apostrophes",
        _cell("pre_pl", "'movies/a.tif'"),
        (LINE.format("pre_pl").removesuffix(": "), "without quotation marks"),
    ),
    SheetCase(
        "decimal comma", _cell("temperature_c", "70,5"), (LINE.format("temperature_c"), "70.5")
    ),
    SheetCase("a unit", _cell("temperature_c", "70 C"), (LINE.format("temperature_c"), "70")),
    SheetCase("no temperature", _cell("temperature_c", ""), ("no value is given",)),
    SheetCase("a word", _cell("temperature_c", "contrl"), ("did you mean control",)),
    SheetCase(
        "name with ../", _cell("field", "../../x"), (LINE.format("field"), "cannot be a field")
    ),
    SheetCase(
        "absolute name", _cell("field", "/tmp/x"), (LINE.format("field"), "cannot be a field")
    ),
    SheetCase("name with a space", _cell("field", "my field"), ("write my_field",)),
    SheetCase("name for the shell", _cell("field", "$(rm)"), ("cannot be a field's name",)),
    SheetCase("name with an umlaut", _cell("field", "Müll"), ("cannot be a field's name",)),
    SheetCase("name of 200 letters", _cell("field", "x" * 200), ("200 characters",)),
    SheetCase("newline in a cell", _cell("sample", '"a\nb"'), ("line 2",)),
    SheetCase("control character", _cell("sample", "a\x07b"), ("line 2", "character")),
    SheetCase("curly brackets", _cell("pre_pl", "movies/{x}.tif"), ("curly bracket",)),
    SheetCase("an address", _cell("pre_pl", "https://x.org/a.tif"), ("is an address",)),
    SheetCase("missing file", _cell("pre_pl", "movies/gone.tif"), ("there is no file",)),
    SheetCase("newline in a file's name", _cell("pre_pl", '"movies/a\nb.tif"'), ("line 2",)),
    SheetCase("pattern without a file", _cell("pre_pl", "movies/z*.tif"), ("no file matches",)),
    SheetCase("unknown choice", _cell("pre_pl", "movies/a.tif::frame=3"), ("pre_pl",)),
    SheetCase(
        "one file for both epochs",
        _cell("post_pl", "movies/sound_pre_pl.tif"),
        ("the same file as in column pre_pl",),
    ),
    SheetCase(
        "one recording as two fields, by a copy",
        _cell("pre_pl", "movies/copy of other_pre_pl.tif"),
        ("line 3, column pre_pl", "is a copy", "of the pre_pl of field sound", "counted twice"),
    ),
    SheetCase(
        "one recording as two fields, in another format",
        _cell("pre_pl", "movies/export of other_pre_pl.tif"),
        ("line 3, column pre_pl", "is a copy", "of the pre_pl of field sound", "counted twice"),
    ),
    SheetCase(
        "a field twice",
        lambda text: text + text.splitlines()[1] + "\n",
        ("line 4, column field", "also on line 2", "counted twice"),
    ),
    # --- the configuration
    SheetCase("unknown setting", config={"dark_cutof": 0.1}, says=("dark_cutoff",)),
    SheetCase("unknown section", config={"treshold": {}}, says=("threshold",)),
    SheetCase(
        "setting out of range", config={"dark_cutoff": 7}, says=("configuration, dark_cutoff",)
    ),
    SheetCase(
        "setting that is no number",
        config={"photometry": {"aperture_px": "wide"}},
        says=("photometry.aperture_px",),
    ),
    SheetCase("NaN", config={"dark_cutoff": float("nan")}, says=("dark_cutoff",)),
    SheetCase("infinity", config={"exposure_s": float("inf")}, says=("exposure_s",)),
    SheetCase("unknown method", config={"threshold": {"method": "fix"}}, says=("fixed",)),
    SheetCase(
        "all at once",
        lambda text: _cell("temperature_c", "hot")(_cell("pre_pl", "movies/gone.tif")(text)),
        ("3 problems", "column temperature_c", "column pre_pl", "dark_cutoff"),
        {"dark_cutof": 0.1},
    ),
]
