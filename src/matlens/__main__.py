"""``python -m matlens`` is the command line, for processes that know their Python but not where its scripts are."""

from matlens.cli.app import main

if __name__ == "__main__":
    main()
