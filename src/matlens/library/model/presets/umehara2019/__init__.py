"""The preset ``umehara2019``: the published networks, with backward passes written by hand."""
