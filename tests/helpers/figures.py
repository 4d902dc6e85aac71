"""What figures say."""

from matplotlib.text import Text


def words(figure):
    """Return all that is written in a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))
