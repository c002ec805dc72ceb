"""What sphinx-gallery shows of a tutorial's cells: figures that a cell ends in, whether or not pyplot made them."""

from matplotlib import pyplot
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def figures(block, names, settings):
    """Save the figure that a cell ends in, or those that pyplot holds, and return the text that shows them."""
    last = names["example_globals"].get("___")
    drawn = [last] if isinstance(last, Figure) else [pyplot.figure(number) for number in pyplot.get_fignums()]
    paths = []
    for figure in drawn:
        path = next(names["image_path_iterator"])
        figure.savefig(path, dpi=110)
        paths.append(path)
    pyplot.close("all")
    if isinstance(last, Figure):  # it is shown, and not to be shown again after the next cell
        names["example_globals"]["___"] = None
    return figure_rst(paths, settings["src_dir"])
