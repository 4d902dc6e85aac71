"""What figures say, and whether it can be read."""

import pytest
from matplotlib.text import Text

from blinkpair.figures.style import MM_PER_INCH


def words(figure):
    """Return all that is written in a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def assert_text_inside(figure):
    """Check that a figure is one or two columns wide, and holds its text, of 7 pt and more."""
    for _ in range(2):  # squares come to rest in the second layout, as in a file
        figure.draw_without_rendering()
    assert figure.get_figwidth() * MM_PER_INCH in (pytest.approx(85), pytest.approx(170))
    width, height = figure.bbox.size
    ticks = {tick for ax in figure.axes for tick in ax.get_xticklabels() + ax.get_yticklabels()}
    for text in set(figure.findobj(Text)) - ticks:  # ticks beyond the axes are not drawn
        if text.get_text() and text.get_visible():
            assert text.get_fontsize() >= 7, text.get_text()
            box = text.get_window_extent()
            inside = min(box.x0, box.y0) >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
            assert inside, text.get_text()
