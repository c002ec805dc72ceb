"""Options for reading a library, where names and numbers of its table are not sufficient."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from matlens.core.settings import Words, absolute, changed, option, options
from matlens.errors import InputError
from matlens.library.io.layout import Layout

__all__ = ["LibraryOptions"]

_GROUP = "How the table is read (default: as its columns say)"
_CENSORED = re.compile(r"(.+?)\s*(>=?|<=?)\s*([^<>=]+)")


@options
class LibraryOptions:
    """Options for reading a library; the reader determines from the table what is not given.

    Every field is text or several texts, so that the options can be stored in a settings file as they are.

    Parameters
    ----------
    components : sequence of str
        Columns of the fractions, e.g. ``("Bi", "V", "W")``.
    merits : sequence of str
        Columns of the figures of merit, with or without the unit in their names; all other columns of numbers are
        then covariates.
    covariates : sequence of str
        Columns to keep as covariates (plate, x, y, thickness, batch ...).
    sample : str, optional
        Column of the sample ids.
    axis_columns : str, optional
        ``"FIRST:LAST"``, the first and the last column of the spectrum, whose names contain numbers; or ``"none"``
        where columns with numbers as names are not a spectrum.
    axis_name, axis_unit : str, optional
        Name and unit of the spectra's axis, e.g. "Raman shift" and "cm-1".
    spectrum_name, spectrum_unit : str, optional
        Name and unit of the intensities, e.g. "intensity" and "counts".
    fraction_unit : str, optional
        ``"fraction"`` or ``"percent"``: the unit of the fractions in the file.
    fraction_name : str, optional
        Name of a hundredth of a fraction, e.g. "at%" or "wt%".
    merit_units : sequence of str
        ``"NAME=UNIT"`` for figures of merit, e.g. ``("P=mW/cm2",)``.
    censored : sequence of str
        ``"NAME>VALUE"`` where values from VALUE up mean "at least this" (a saturated instrument), ``"NAME<VALUE"``
        where values from VALUE down mean "at most this".
    spectra : str, optional
        File or folder with the spectra, where the table has none: a matrix with its axis in the first row, or one
        file of two columns for each sample.
    sheet : str, optional
        Sheet of a workbook, needed where several hold tables; or several, separated by commas, which are joined by
        their sample ids.
    decimal : {"point", "comma"}, optional
        Decimal mark of the numbers; needed where no number of the file shows it.
    encoding : str, optional
        Encoding of a text file, where it is neither Unicode nor Western European.
    block : str, optional
        Block to read from files of Bruker OPUS, e.g. "absorbance"; needed where several may be the result.
    formula : str, optional
        Column of formulas such as "Fe0.5Co0.5", from which the compositions are read.
    sites : sequence of str
        ``"NAME=A+B"`` for each site of a material whose fractions close by themselves, e.g.
        ``("A=FA+MA+Cs", "X=I+Br")``; the components are columns, or stand in a column of formulas.
    balance : str, optional
        Component that is the rest to 1 or 100 %, and has no numbers.
    renormalise : bool
        Whether to divide the fractions of every row by their sum.
    blanks : {"missing", "zero"}
        What a blank among the fractions means.
    atomic : bool
        Whether to convert mass fractions of elements to atomic fractions.
    missing : sequence of str
        Codes of missing values, e.g. ``("-9999",)``.
    ignore_unread : bool
        Whether to go on where a folder holds files that are not read.

    Raises
    ------
    InputError
        If an option is not understood.

    Examples
    --------
    >>> options = LibraryOptions(merits=("P",), censored=("P>10",))
    >>> options.settings()
    {'merits': ['P'], 'censored': ['P>10']}
    >>> options.limits()
    [('P', 1, 10.0)]
    """

    components: Annotated[
        Words,
        option("Columns that hold the fractions of the components, e.g. Bi,V,W.", metavar="NAME,...", group=_GROUP),
    ] = ()
    merits: Annotated[
        Words,
        option(
            "Columns that hold figures of merit; other columns of numbers are then covariates.",
            metavar="NAME,...",
            group=_GROUP,
        ),
    ] = ()
    covariates: Annotated[
        Words,
        option(
            "Columns to keep as further facts of the samples, e.g. plate, x, y, thickness.",
            metavar="NAME,...",
            group=_GROUP,
        ),
    ] = ()
    sample: Annotated[
        str | None, option("Column that holds the names of the samples.", metavar="NAME", group=_GROUP)
    ] = None
    axis_columns: Annotated[
        str | None,
        option(
            "First and last column of the spectrum, or none if columns with numbers as names are no spectrum.",
            metavar="FIRST:LAST",
            group=_GROUP,
        ),
    ] = None
    axis_name: Annotated[
        str | None, option('Name of the horizontal axis of the spectra, e.g. "Raman shift".', group=_GROUP)
    ] = None
    axis_unit: Annotated[
        str | None, option("Unit of the horizontal axis of the spectra, e.g. cm-1.", metavar="UNIT", group=_GROUP)
    ] = None
    spectrum_name: Annotated[
        str | None, option('Name of the values of the spectra, e.g. "intensity".', group=_GROUP)
    ] = None
    spectrum_unit: Annotated[
        str | None, option("Unit of the values of the spectra, e.g. counts.", metavar="UNIT", group=_GROUP)
    ] = None
    fraction_unit: Annotated[
        Literal["fraction", "percent"] | None,
        option("Whether the fractions in the file sum to 1 (fraction) or to 100 (percent).", group=_GROUP),
    ] = None
    fraction_name: Annotated[
        str | None, option("Name of the unit of the fractions: at%, wt%, mol% ...", metavar="NAME", group=_GROUP)
    ] = None
    merit_units: Annotated[
        Words,
        option(
            "Units of figures of merit, e.g. P=mW/cm2; a unit without NAME= is that of the target.",
            "--unit",
            "--merit-units",
            metavar="NAME=UNIT,...",
            group=_GROUP,
        ),
    ] = ()
    censored: Annotated[
        Words,
        option(
            "Limits of the instrument: with P>10, values of 10 or more mean 'at least'; with P<0.1, values of 0.1 or "
            "less mean 'at most'; a limit without NAME is that of the target.",
            metavar="NAME>VALUE,...",
            group=_GROUP,
        ),
    ] = ()
    spectra: Annotated[
        str | None,
        BeforeValidator(absolute),
        option(
            "File or folder with the spectra, if they are not in the table.",
            metavar="PATH",
            exists="path",
            group=_GROUP,
        ),
    ] = None
    sheet: Annotated[
        str | None,
        option(
            "Sheet of the workbook, if several hold tables; several are joined by the ids of their samples.",
            metavar="NAME,...",
            group=_GROUP,
        ),
    ] = None
    decimal: Annotated[
        Literal["point", "comma"] | None,
        option("Decimal mark of the numbers, if the file does not show it, as 1,176 does not.", group=_GROUP),
    ] = None
    encoding: Annotated[
        str | None,
        option(
            "Encoding of text files that are neither Unicode nor Western European, e.g. gbk.",
            metavar="NAME",
            group=_GROUP,
        ),
    ] = None
    block: Annotated[
        str | None,
        option(
            "Block to read from files of Bruker OPUS, e.g. absorbance, if several may be the result.",
            metavar="NAME",
            group=_GROUP,
        ),
    ] = None
    formula: Annotated[
        str | None,
        option("Column of formulas, e.g. Fe0.5Co0.5, to take the compositions from.", metavar="NAME", group=_GROUP),
    ] = None
    sites: Annotated[
        Words,
        option(
            "Sites of a material, whose fractions close by themselves, e.g. A=FA+MA+Cs,X=I+Br.",
            metavar="SITE=NAME+NAME,...",
            group=_GROUP,
        ),
    ] = ()
    balance: Annotated[
        str | None,
        option("Component that is the rest to 1 or 100 %, and has no numbers.", metavar="NAME", group=_GROUP),
    ] = None
    renormalise: Annotated[bool, option("Divide the fractions of every row by their sum.", group=_GROUP)] = False
    blanks: Annotated[
        Literal["missing", "zero"],
        option("What a blank among the fractions means: a missing number, or zero.", group=_GROUP),
    ] = "missing"
    atomic: Annotated[bool, option("Convert mass fractions (wt%) of elements to atomic fractions.", group=_GROUP)] = (
        False
    )
    missing: Annotated[
        Words, option("Codes of missing values in the table, e.g. -9999.", metavar="CODE,...", group=_GROUP)
    ] = ()
    ignore_unread: Annotated[bool, option("Go on where a folder holds files that are not read.", group=_GROUP)] = False

    def __post_init__(self) -> None:
        if self.axis_columns not in (None, "none") and ":" not in str(self.axis_columns):
            raise InputError(f"axis columns are written FIRST:LAST, or none, found {self.axis_columns!r}.")
        self.limits()
        self.units()
        self.members()

    def layout(self) -> Layout:
        """Return how the files are written.

        Returns
        -------
        Layout
            Sheet, decimal mark, encoding and block.

        Examples
        --------
        >>> LibraryOptions(sheet="PEC").layout().sheet
        'PEC'
        """
        return Layout(self.sheet, self.decimal, self.encoding, self.block)

    def limits(self) -> list[tuple[str, int, float]]:
        """Return the censoring limits.

        Returns
        -------
        list of (str, int, float)
            Figure of merit; 1 where values from the limit up are censored, -1 where values from the limit down are;
            limit.

        Raises
        ------
        InputError
            If a limit is not of the form NAME>VALUE or NAME<VALUE.

        Examples
        --------
        >>> LibraryOptions(censored=("P>10", "R<0.1")).limits()
        [('P', 1, 10.0), ('R', -1, 0.1)]
        """
        found = []
        for text in self.censored:
            match = _CENSORED.fullmatch(text.strip())
            try:
                found.append((match[1], 1 if match[2][0] == ">" else -1, float(match[3])))  # type: ignore[index]
            except (TypeError, ValueError) as error:
                raise InputError(f"censoring is written NAME>VALUE or NAME<VALUE, found {text!r}.") from error
        return found

    def units(self) -> dict[str, str]:
        """Return the units of figures of merit that the options give.

        Returns
        -------
        dict of str to str
            Unit of each figure of merit.

        Raises
        ------
        InputError
            If a unit is not of the form NAME=UNIT.

        Examples
        --------
        >>> LibraryOptions(merit_units=("P=mW/cm2",)).units()
        {'P': 'mW/cm2'}
        """
        wrong = [text for text in self.merit_units if "=" not in text]
        if wrong:
            raise InputError(f"units are written NAME=UNIT, found {wrong[0]!r}.")
        return {name.strip(): unit.strip() for name, unit in (text.split("=", 1) for text in self.merit_units)}

    def members(self) -> dict[str, tuple[str, ...]]:
        """Return the components of each site.

        Returns
        -------
        dict of str to tuple of str
            Names of the components, by site.

        Raises
        ------
        InputError
            If a site is not of the form SITE=NAME+NAME, or other options say what the components are.

        Examples
        --------
        >>> LibraryOptions(sites=("A=FA+Cs", "X=I+Br")).members()
        {'A': ('FA', 'Cs'), 'X': ('I', 'Br')}
        """
        found: dict[str, tuple[str, ...]] = {}
        for text in self.sites:
            site, equals, names = (part.strip() for part in text.partition("="))
            members = tuple(name.strip() for name in names.split("+"))
            if not (site and equals and all(members)):
                raise InputError(f"sites are written SITE=NAME+NAME, such as A=FA+MA, found {text!r}.")
            found[site] = found.get(site, ()) + members
        every = [name for members in found.values() for name in members]
        if len(set(every)) < len(every) or len(found) == 1:
            raise InputError(
                f"found the sites {', '.join(self.sites)}; two or more are expected, and each component on one of them."
            )
        if found and (self.components or self.balance or self.atomic):
            raise InputError(
                "found --sites, which names the components and closes them, beside --components, --balance or "
                "--atomic; leave these out."
            )
        return found

    def settings(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, ready for a settings file.

        Returns
        -------
        dict of str to str or list of str
            Value of each option, by name.

        Examples
        --------
        >>> LibraryOptions(sample="id").settings()
        {'sample': 'id'}
        """
        return changed(self)
