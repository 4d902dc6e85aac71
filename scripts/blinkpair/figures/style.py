"""One look for all figures: sizes, type, colours, and files that come out the same every time.

What matplotlib's own settings cover is in `style/blinkpair.mplstyle`. The figures use
matplotlib's objects and never pyplot, so that nothing of one figure is left behind for the next.

Input: a finished matplotlib figure. Output: its .svg, .pdf and .png.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from string import ascii_lowercase
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from blinkpair.files import write_bytes, write_text
from blinkpair.labels import Temperature, treatment_title

SINGLE_COLUMN_MM = 85.0
DOUBLE_COLUMN_MM = 170.0
MM_PER_INCH = 25.4
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=\S{1,3}(?:[ ,]|$))")
TITLE_LETTERS = 22  # in a line of a bold title: four panels stand side by side

# Okabe and Ito's colours, distinct with any kind of colour vision.
BLACK, GREY = "#000000", "#8c8c8c"
ORANGE, SKY_BLUE, GREEN, BLUE = "#e69f00", "#56b4e9", "#009e73", "#0072b2"
VERMILLION, PURPLE = "#d55e00", "#cc79a7"

POPULATION_COLOURS = {
    "became_emissive": GREEN,
    "became_dark": VERMILLION,
    "emissive": SKY_BLUE,
    "dark": GREY,
}
EPOCH_COLOURS = {"pre": BLUE, "post": VERMILLION}

STYLE_SHEET = Path(__file__).with_suffix("") / "blinkpair.mplstyle"
STYLE = mpl.rc_params_from_file(STYLE_SHEET, use_default_template=False)

LAYOUT_TABLES = ("GDEF", "GPOS", "GSUB", "MATH")

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function under the style, and leave the caller's settings as they were."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        # From the defaults, so that a user's matplotlibrc changes nothing; the backend stays
        # theirs.
        settings: Any = {**mpl.rcParamsDefault, **STYLE, "backend": mpl.rcParams["backend"]}
        with mpl.rc_context(settings):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(width_mm: float, height_mm: float, *, note: str = "") -> Figure:
    """Open an empty figure of a size in millimetres.

    Parameters
    ----------
    width_mm, height_mm : float
        Size on paper.
    note : str
        Written in the upper right corner, for example `simulated`.

    Returns
    -------
    Figure
        With constrained layout; the note's line is kept free.
    """
    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout="constrained")
    if note:
        line = 4.0 / height_mm
        engine: Any = figure.get_layout_engine()
        engine.set(rect=(0.0, 0.0, 1.0, 1.0 - line))
        text = {"ha": "right", "va": "top", "color": VERMILLION}
        figure.text(0.995, 1.0 - 0.15 * line, note, text, in_layout=False)
    return figure


def column_width_mm(panels_a_row: int) -> float:
    """Give the width of a figure on paper: one column for one panel a row, both for more."""
    return SINGLE_COLUMN_MM if panels_a_row <= 1 else DOUBLE_COLUMN_MM


@styled
def save_figure(
    figure: Figure, path_stem: str | Path, *, caption: str = ""
) -> tuple[Path, Path, Path]:
    """Write a figure as vectors and as pixels, and its caption beside them.

    Parameters
    ----------
    figure : Figure
        Drawn by a function of this package.
    path_stem : str or Path
        Path without suffix; `.svg`, `.pdf` and `.png` are added to it, whatever dots it has.
    caption : str
        What is shown, in words, for `.txt`; without one there is no such file.

    Returns
    -------
    tuple of Path
        The SVG, the PDF and the PNG (300 dots an inch). The same figure gives the same bytes.
    """
    stem = Path(path_stem)
    svg, pdf, png = (stem.with_name(stem.name + suffix) for suffix in (".svg", ".pdf", ".png"))
    # The panels get their places once, as they are in the PNG, and keep them: to lay out each file
    # anew takes as long as to write it, and letters are a little wider or narrower in each.
    layout, dpi = figure.get_layout_engine(), figure.dpi
    if layout is not None and figure.axes:
        figure.dpi = mpl.rcParams["savefig.dpi"]
        layout.execute(figure)
        figure.dpi = dpi
    figure.set_layout_engine(None)
    _write(figure, png, {"Software": None})
    nothing_of_today = {"Creator": None, "Producer": None, "CreationDate": None}
    _write(figure, svg, {"Creator": None, "Date": None})
    _write(figure, pdf, nothing_of_today)
    figure.set_layout_engine(layout)
    if caption:
        write_text(caption, stem.with_name(stem.name + ".txt"))
    return svg, pdf, png


def _write(figure: Figure, path: Path, metadata: dict[str, None]) -> None:
    """Write one file from memory, because matplotlib does not report a full disk."""
    content = io.BytesIO()
    if path.suffix == ".pdf":
        _drop_layout_tables()
    figure.savefig(content, format=path.suffix[1:], metadata=metadata)
    write_bytes(content.getbuffer(), path)


def _drop_layout_tables() -> None:
    """Leave tables out of the fonts of a PDF that place letters: those of a figure have a place.

    To cut them to the letters in use takes a third of the time that a PDF takes. The list is a
    detail of a library: where it is called otherwise, nothing is left out.
    """
    from fontTools.subset import Options

    dropped = getattr(Options, "_drop_tables_default", [])
    dropped += [table for table in LAYOUT_TABLES if table not in dropped]


def temperature_name(label: Temperature, letters: int = TITLE_LETTERS) -> str:
    """Return a treatment's name for a title or a tick, in lines of about so many letters."""
    # A number stays beside its unit: '2 h', '100 °C'.
    title = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", treatment_title(label))
    lines = textwrap.wrap(title, letters, break_long_words=False)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ").replace("$", r"\$")


def minus(number: str) -> str:
    """Set a number's hyphen as a minus sign."""
    return number.replace("-", "−")


def points(value: float) -> str:
    """Write a change of the on-fraction (0 to 1) in percentage points, with its sign."""
    # Rounding takes off what binary numbers add, so that a table of the same value agrees.
    text = f"{round(100 * value, 6):+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else minus(text)


def panel_title(axes: Axes, title: str, *lines: str) -> None:
    """Write a bold title, if any, and plain lines under it, flush left above the panel."""
    axes.set_title("\n".join(lines), loc="left", pad=3, linespacing=1.25)
    if title:
        write_beside(axes, title, (0, 1), (0, 3 + 8.8 * len(lines)), fontweight="bold")


def write_beside(
    axes: Axes, text: str, corner: tuple[float, float], away: tuple[float, float], **look: Any
) -> None:
    """Write a text so many points from a corner of a panel, whatever size the layout gives it."""
    look = {"xycoords": "axes fraction", "textcoords": "offset points", **look}
    axes.annotate(text, corner, xytext=away, **look)


def letter_panels(axes: Sequence[Axes]) -> None:
    """Write a, b, c beside the titles of panels, in reading order; nothing beside a single one."""
    if len(axes) < 2:
        return
    for letter, ax in zip(ascii_lowercase, axes, strict=False):
        title = ax.get_title(loc="left")
        bold = any(text.get_fontweight() == "bold" for text in ax.texts)
        lines = title.count("\n") + (1 if bold and title else 0)
        # Clear of the number at the top of the axis, where there is no title.
        above = 3 + 8.8 * lines + (0 if bold or title else 3)
        look: dict[str, Any] = {"fontweight": "bold", "ha": "right", "fontsize": 9}
        write_beside(ax, letter, (0, 1), (-5, above), **look)


def scale_bar(axes: Axes, pixel_size_um: float, width_px: float) -> None:
    """Draw a bar of a round length, about a fifth of an image, in its lower left corner.

    Parameters
    ----------
    axes : Axes
        Of an image in pixels, y downwards.
    pixel_size_um : float
        Width of a pixel on the sample; NaN where it is not known: the bar is then in pixels.
    width_px : float
        Width of what is shown.
    """
    known = pixel_size_um > 0
    unit = pixel_size_um if known else 1.0
    wanted = 0.2 * width_px * unit
    decade = 10.0 ** math.floor(math.log10(wanted))
    length = decade * max(step for step in (1, 2, 5) if step * decade <= wanted)
    x, y = 0.05, 0.06
    end = x + length / unit / width_px
    across: dict[str, Any] = {"transform": axes.transAxes, "zorder": 6}
    for colour, width in ((BLACK, 4.0), ("white", 2.2)):
        axes.plot([x, end], [y, y], color=colour, lw=width, solid_capstyle="butt", **across)
    text = axes.text(
        (x + end) / 2, y + 0.02, f"{length:g} {'µm' if known else 'px'}", color="white", **across
    )
    text.set(ha="center", va="bottom", path_effects=[withStroke(linewidth=1.5, foreground=BLACK)])


def no_data(axes: Axes, text: str = "no nanocrystals") -> None:
    """Write in the middle of an empty panel why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def fold(figure: Figure, text: str) -> str:
    """Break a text into lines of the figure's width, at 7 points."""
    characters = round(figure.get_figwidth() * MM_PER_INCH / 1.4)
    return "\n".join(textwrap.fill(line, characters) for line in text.split("\n"))
