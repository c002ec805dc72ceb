"""Options that are declared once: a frozen pydantic dataclass whose fields carry help, unit and choices.

The command line, settings.toml, the sentence for a bad value, option tables and the JSON Schema are derived from it.
Importing this module loads neither torch nor scipy: ``--help`` and an error about an option must be quick.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import os
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

import pydantic
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, core_schema

from matlens.errors import InputError

__all__ = [
    "ChoiceOf",
    "Numbers",
    "OnDevice",
    "Option",
    "Seeded",
    "Shares",
    "Whole",
    "Words",
    "absolute",
    "asked_for",
    "changed",
    "check_paths",
    "declared",
    "declared_default",
    "json_schema",
    "option",
    "option_table",
    "options",
    "pairs_of",
    "read_options",
    "read_problems",
    "taken_by",
    "to_settings",
    "words_of",
]

T = TypeVar("T")

_CONFIG = ConfigDict(extra="forbid")
Exists = Literal["", "file", "folder", "path"]


def option(
    help: str,
    *flags: str,
    unit: str = "",
    group: str = "",
    metavar: str = "",
    argument: bool = False,
    many: bool = False,
    exists: Exists = "",
    **limits: Any,
) -> FieldInfo:
    """Declare how a field of an options class shows outside Python.

    Parameters
    ----------
    help : str
        One plain English sentence or phrase.
    *flags : str
        Names on the command line; by default ``--`` and the field's name with hyphens.
    unit : str
        Unit of the value.
    group : str
        Heading under which the help lists it; empty for the command's own.
    metavar : str
        What stands for the value in the help; by default the choices or the type.
    argument : bool
        Whether it is given by position.
    many : bool
        Whether it may be given more than once.
    exists : {"", "file", "folder", "path"}
        What must be there when a command starts. A run that is resumed or reported does not need it.
    **limits
        ``ge``, ``gt``, ``le``, ``lt`` and the like, as of `pydantic.Field`.

    Returns
    -------
    FieldInfo
        For ``typing.Annotated``.

    Examples
    --------
    >>> option("Realisations.", "-n", "--number", ge=1).description
    'Realisations.'
    """
    shown = {"flags": list(flags), "unit": unit, "group": group, "metavar": metavar, "exists": exists}
    extra: dict[str, Any] = {name: value for name, value in shown.items() if value}
    extra |= {name: True for name, value in (("argument", argument), ("many", many)) if value}
    info: FieldInfo = Field(description=help, json_schema_extra=extra, **limits)
    return info


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def options(cls: type[T]) -> type[T]:
    """Make a class a frozen, keyword-only pydantic dataclass that knows no other fields than its own.

    Returns
    -------
    type
        The class as a dataclass; a value that does not fit raises `InputError`.

    Examples
    --------
    >>> @options
    ... class Spec:
    ...     n: Annotated[int, option("Realisations.", "-n", ge=1)] = 1
    >>> Spec(n=3)
    Spec(n=3)
    """
    made: Any = pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=_CONFIG)(cls)
    checked = made.__init__

    @functools.wraps(checked)
    def __init__(self: Any, **values: Any) -> None:
        try:
            checked(self, **values)
        except ValidationError as error:  # a user of Python gets the same kind of sentence as one of the command line
            raise InputError(_sentence(made, error, in_python=True)) from None

    made.__init__ = __init__
    kept: type[T] = made
    return kept


@dataclass(frozen=True)
class Option:
    """Option of a command, as the command line, a table or a form shows it.

    Parameters
    ----------
    name : str
        Name of the field.
    help, unit, group, metavar : str
        See `option`.
    flags : tuple of str
        Names on the command line; empty for an argument.
    kind : {"flag", "whole", "number", "text"}
        Kind of one value.
    many : bool
        Whether it may be given more than once.
    choices : tuple of str
        Names of a closed set; otherwise empty.
    default : Any
        `dataclasses.MISSING` where a value must be given.
    exists : str
        See `option`.
    """

    name: str
    help: str
    unit: str
    group: str
    metavar: str
    flags: tuple[str, ...]
    kind: Literal["flag", "whole", "number", "text"]
    many: bool
    choices: tuple[str, ...]
    default: Any
    exists: Exists

    @property
    def label(self) -> str:
        """Name of the option as a user knows it: its longest flag, or the metavar of the argument."""
        return max(self.flags, key=len) if self.flags else self.metavar

    @property
    def shown_default(self) -> str:
        """Default as help texts show it; empty where there is none to show."""
        if self.default is MISSING or self.default is None or self.default is False or self.default == ():
            return ""
        if isinstance(self.default, tuple | list):
            return ", ".join(str(value) for value in self.default)  # a help can only break lines at spaces
        return str(self.default)


def declared(cls: type[Any]) -> list[Option]:
    """List the options that a class declares, its own first, then those of the classes it is made of.

    Returns
    -------
    list of Option
        The options in the order of the help.

    Examples
    --------
    >>> [option.label for option in declared(OnDevice)]
    ['--device', '--threads']
    """
    infos: dict[str, FieldInfo] = cls.__pydantic_fields__
    hints = get_type_hints(cls)
    ordered = dict.fromkeys(name for part in cls.__mro__ for name in inspect.get_annotations(part))
    names = [name for name in ordered if name in infos]
    return [_option(name, infos[name], hints[name]) for name in names]


def _option(name: str, info: FieldInfo, hint: Any) -> Option:
    extra = info.json_schema_extra
    shown: dict[str, Any] = dict(extra) if isinstance(extra, dict) else {}
    default = MISSING if info.default is PydanticUndefined else info.default
    kind, choices = _kind(hint)
    choices = next((tuple(part.names()) for part in info.metadata if isinstance(part, ChoiceOf)), choices)
    argument = bool(shown.get("argument"))
    flags = () if argument else tuple(shown.get("flags", ())) or ("--" + name.replace("_", "-"),)
    plain = {"flag": "", "whole": "NUMBER", "number": "NUMBER", "text": "TEXT"}[kind]
    metavar = shown.get("metavar") or ("|".join(choices) if choices else name.upper() if argument else plain)
    return Option(
        name,
        info.description or "",
        shown.get("unit", ""),
        shown.get("group", ""),
        metavar,
        flags,
        kind,
        bool(shown.get("many")),
        choices,
        default,
        shown.get("exists", ""),
    )


def _kind(hint: Any) -> tuple[Literal["flag", "whole", "number", "text"], tuple[str, ...]]:
    """What one value of a type is, and its choices."""
    if get_origin(hint) in (Union, types.UnionType):
        # The first member decides: others are None, or forms that are written in the same way.
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is tuple:
        return _kind(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return "text", tuple(str(value) for value in get_args(hint))
    if hint is bool:
        return "flag", ()
    if hint in (int, float):
        return ("whole" if hint is int else "number"), ()
    return "text", ()


def read_options(cls: type[T], values: Mapping[str, Any]) -> T:
    """Make an instance of an options class from plain values.

    Parameters
    ----------
    values : mapping
        Texts of a command line, or a table of settings.toml, by name of the field.

    Returns
    -------
    object
        The instance.

    Raises
    ------
    InputError
        If a value does not fit: the sentence says what was found, what was expected and which option it is.

    Examples
    --------
    >>> read_options(OnDevice, {"device": "cpu", "threads": "2"})
    OnDevice(device='cpu', threads=2)
    >>> read_options(OnDevice, {"device": "gpu"})
    Traceback (most recent call last):
    matlens.errors.InputError: found 'gpu' for --device; choose auto, cpu or cuda.
    """
    validator: Any = cls.__pydantic_validator__  # type: ignore[attr-defined]
    try:
        made: T = validator.validate_python(dict(values))
    except ValidationError as error:
        raise InputError(_sentence(cls, error, in_python=False)) from None
    return made


def read_problems(cls: type[Any], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List everything that does not fit, for a form that shows each sentence beside its field.

    Parameters
    ----------
    values : mapping
        As in `read_options`.

    Returns
    -------
    list of tuple of str
        Name of the option, or "" where the sentence is on several, and the sentence.

    Examples
    --------
    >>> read_problems(OnDevice, {"device": "gpu", "threads": "0"})
    [('device', "found 'gpu' for --device; choose auto, cpu or cuda."),
     ('threads', "found '0' for --threads; it must be at least 1.")]
    """
    validator: Any = cls.__pydantic_validator__
    try:
        validator.validate_python(dict(values))
    except ValidationError as error:
        found = {str(problem["loc"][0]) if problem["loc"] else "": problem for problem in reversed(error.errors())}
        return [(name, _worded(cls, problem, in_python=False)) for name, problem in reversed(found.items())]
    return []


def _sentence(cls: type[Any], error: ValidationError, *, in_python: bool) -> str:
    """Word the first thing that does not fit."""
    return _worded(cls, error.errors()[0], in_python=in_python)


def _worded(cls: type[Any], first: Any, *, in_python: bool) -> str:
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return str(cause)
    found = {made.name: made for made in declared(cls)}
    name = str(first["loc"][0]) if first["loc"] else ""
    if name not in found:
        near = difflib.get_close_matches(name, found, 1)
        return f"there is no option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ".")
    made, value = found[name], first["input"]
    said = name if in_python else made.label
    if isinstance(cause, _NotAChoice):
        return f"found {cause.args[1]!r} for {said}; choose {_listed(cause.args[0])}."
    if first["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{said} is missing; give {made.help[:1].lower()}{made.help[1:].rstrip('.')}."
    return f"found {value!r} for {said}; {_expected(made, first)}."


def _expected(made: Option, problem: Any) -> str:
    if made.choices:
        return f"choose {_listed(made.choices)}"
    limits = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
    for name, words in limits.items():
        if name in problem.get("ctx", {}):
            return f"it must be {words.format(format(problem['ctx'][name], 'g'))}"
    kinds = {"flag": "yes or no", "whole": "a whole number", "number": "a number", "text": "text"}
    return f"expected {kinds[made.kind]}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def to_settings(spec: Any) -> dict[str, Any]:
    """Return options as a settings file holds them: plain values, without those that are None.

    Parameters
    ----------
    spec : Any
        Instance of an options class.

    Returns
    -------
    dict
        Value by name of the field.

    Examples
    --------
    >>> to_settings(Seeded(seed=3))
    {'seed': 3}
    """
    plain: dict[str, Any] = TypeAdapter(type(spec)).dump_python(spec, mode="json", exclude_none=True)
    return plain


def changed(spec: Any) -> dict[str, Any]:
    """Return the options that differ from their defaults, as a settings file holds them.

    Parameters
    ----------
    spec : Any
        Instance of an options class.

    Returns
    -------
    dict
        Value by name of the field.

    Examples
    --------
    >>> changed(OnDevice(threads=1))
    {'threads': 1}
    """
    plain = to_settings(spec)
    return {
        field.name: plain[field.name]
        for field in fields(spec)
        if field.name in plain and getattr(spec, field.name) != declared_default(type(spec), field.name)
    }


def declared_default(cls: type[Any], name: str) -> Any:
    """Return the default of a field.

    Parameters
    ----------
    name : str
        Name of the field.

    Returns
    -------
    Any
        The default; `dataclasses.MISSING` if a value must be given.

    Examples
    --------
    >>> declared_default(Seeded, "seed")
    0
    """
    default = cls.__pydantic_fields__[name].default
    return MISSING if default is PydanticUndefined else default


def asked_for(cls: type[T], spec: Any) -> T:
    """Take those options of a command that another options class declares.

    Parameters
    ----------
    spec : Any
        Options of the command.

    Returns
    -------
    object
        Instance of ``cls``.

    Examples
    --------
    >>> @options
    ... class Spec(Seeded, OnDevice):
    ...     n: int = 1
    >>> asked_for(Seeded, Spec(n=2, seed=5))
    Seeded(seed=5)
    """
    return cls(**{field.name: getattr(spec, field.name) for field in fields(cls)})  # type: ignore[arg-type]


def taken_by(function: Callable[..., Any], spec: Any) -> dict[str, Any]:
    """Give the options that a function has parameters for, so that passing them on names none of them again.

    Parameters
    ----------
    function : callable
        Whose parameters are looked at.
    spec : Any
        Options.

    Returns
    -------
    dict of str to Any
        Values of the fields whose names are those of parameters.

    Examples
    --------
    >>> def draw(n, seed=0): ...
    >>> taken_by(draw, Seeded(seed=3))
    {'seed': 3}
    """
    parameters = inspect.signature(function).parameters
    return {field.name: getattr(spec, field.name) for field in fields(spec) if field.name in parameters}


def check_paths(spec: Any) -> list[str]:
    """Check that the files and folders exist that a command starts from.

    Parameters
    ----------
    spec : Any
        Options of the command.

    Returns
    -------
    list of str
        The files and folders.

    Raises
    ------
    InputError
        If one is missing, or is a folder where a file is expected, or the reverse.

    Examples
    --------
    >>> @options
    ... class Spec:
    ...     table: Annotated[str, option("The table.", argument=True, exists="file")]
    >>> check_paths(Spec(table="nowhere.csv"))
    Traceback (most recent call last):
    matlens.errors.InputError: there is no file nowhere.csv (TABLE); check the path.
    """
    found = []
    for made in declared(type(spec)):
        value = getattr(spec, made.name)
        if not made.exists or value is None:
            continue
        for path in value if isinstance(value, tuple | list) else (value,):
            _check_path(str(path), made)
            found.append(str(path))
    return found


def _check_path(path: str, made: Option) -> None:
    if ":" in path and not os.path.exists(path) and path.split(":")[0] == "problem":
        return  # a structure that MatLens makes itself
    relative = os.path.relpath(path)
    shown = path if relative.startswith(os.pardir) else relative
    if not os.path.exists(path):
        what = "file or folder" if made.exists == "path" else made.exists
        raise InputError(f"there is no {what} {shown} ({made.label}); check the path.")
    if made.exists == "file" and os.path.isdir(path):
        raise InputError(f"{shown} is a folder, and {made.label} takes a file; name the file.")
    if made.exists == "folder" and not os.path.isdir(path):
        raise InputError(f"{shown} is a file, and {made.label} takes a folder; name the folder.")


def json_schema(cls: type[Any]) -> dict[str, Any]:
    """Return the JSON Schema of an options class, with descriptions, units and groups, for forms.

    Returns
    -------
    dict
        The schema.

    Examples
    --------
    >>> json_schema(Seeded)["properties"]["seed"]["minimum"]
    0
    """
    return TypeAdapter(cls).json_schema()


def option_table(cls: type[Any]) -> str:
    """Write the options of a class as a Markdown table for the documentation.

    Returns
    -------
    str
        Lines of the table: option, default, meaning.

    Examples
    --------
    >>> print(option_table(Seeded))
    | option | default | meaning |
    |---|---|---|
    | `--seed` | 0 | Seed of the random numbers; the same seed gives the same result on the same machine. |
    """
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for made in declared(cls):
        flags = ", ".join(f"`{flag}`" for flag in made.flags) or f"`{made.metavar}`"
        unit = f" [{made.unit}]" if made.unit else ""
        choices = f" Choices: {', '.join(made.choices)}." if made.choices else ""
        meaning = f"{made.help}{unit}{choices}".replace("|", "\\|")
        rows.append(f"| {flags} | {made.shown_default} | {meaning} |")
    return "\n".join(rows)


class ChoiceOf:
    """Restrict a field to the names in a registry, which plug-ins may extend.

    For closed sets use `typing.Literal`.

    Parameters
    ----------
    names : callable
        Gives the names when a value is checked, so that a name registered later is known.
    several : bool
        Whether the value is a list of names.

    Examples
    --------
    >>> @options
    ... class Spec:
    ...     method: Annotated[str, ChoiceOf(lambda: ("matching", "tree")), option("Method.")] = "matching"
    >>> read_options(Spec, {"method": "tre"})
    Traceback (most recent call last):
    matlens.errors.InputError: found 'tre' for --method; choose matching or tree.
    """

    def __init__(self, names: Callable[[], Sequence[str]], *, several: bool = False) -> None:
        self.names, self.several = names, several

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Check what the type has read."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Give the names as an enumeration."""
        plain = dict(handler(schema))
        return plain if self.several else {**plain, "enum": list(self.names())}

    def _checked(self, value: Any) -> Any:
        given = () if value is None else value if self.several else (value,)
        for name in given:
            if name not in self.names():
                raise _NotAChoice(tuple(self.names()), name)
        return value


class _NotAChoice(ValueError):
    """Found a name that a registry does not hold; ``args`` holds the names and what was found."""


def _list_of(read: Callable[[str], Any], example: str) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",")]
        try:
            return tuple(dict.fromkeys(read(part) for part in parts if part))
        except (ValueError, ZeroDivisionError):
            raise InputError(f"{value!r} is not understood; write a list such as {example}.") from None

    return parse


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _share(text: str) -> float:
    value = float(Fraction(text))
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def words_of(text: Any) -> Any:
    """Parse names, written ``Bi,V,W``, each taken once; a value that is no text is returned unchanged.

    Parameters
    ----------
    text : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Names, or the value.

    Examples
    --------
    >>> words_of("Bi, V,W"), words_of(["Bi"])
    (('Bi', 'V', 'W'), ['Bi'])
    """
    return _list_of(str, "Bi,V,W")(text)


Words = Annotated[tuple[str, ...], BeforeValidator(words_of)]
"""Names, written ``Bi,V,W``."""

Numbers = Annotated[tuple[float, ...], BeforeValidator(_list_of(_finite, "10,50.5"))]
"""Numbers, written ``10,50.5``."""

Shares = Annotated[tuple[float, ...], BeforeValidator(_list_of(_share, "1,1/2,0.25"))]
"""Shares of a whole, written ``1,1/2,0.25``."""

Whole = Annotated[tuple[int, ...], BeforeValidator(_list_of(int, "25,50,100"))]
"""Whole numbers, written ``25,50,100``."""


def pairs_of(text: Any) -> Any:
    """Parse ``NAME=VALUE`` texts, given once or several times, to a mapping of texts.

    Parameters
    ----------
    text : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Text of each name; None and mappings are returned unchanged.

    Raises
    ------
    InputError
        If a text is not of this form.

    Examples
    --------
    >>> pairs_of(["reach=12", "terms=two-point,lineal-path"])
    {'reach': '12', 'terms': 'two-point,lineal-path'}
    """
    if isinstance(text, Mapping) or text is None:
        return text
    texts = [text] if isinstance(text, str) else list(text)
    found: dict[str, str] = {}
    for part in texts:
        name, sign, value = (word.strip() for word in str(part).partition("="))
        if not (name and sign):
            raise InputError(f"the option {part!r} is not understood; write NAME=VALUE, e.g. --set reach=12.")
        found[name] = value
    return found


def absolute(value: Any) -> Any:
    """Make a path absolute, because a run may be resumed from another folder.

    Parameters
    ----------
    value : Any
        Path, or ``problem:NAME``.

    Returns
    -------
    Any
        The absolute path; None and problems are returned unchanged.

    Examples
    --------
    >>> absolute("/data/a.tif"), absolute(None), absolute("problem:gravel")
    ('/data/a.tif', None, 'problem:gravel')
    """
    if value is None or str(value).startswith("problem:"):
        return value
    return os.path.abspath(os.fspath(value))


@options
class Seeded:
    """Options of work that draws random numbers."""

    seed: Annotated[
        int,
        option(
            "Seed of the random numbers; the same seed gives the same result on the same machine.",
            group="Machine",
            ge=0,
        ),
    ] = 0


@options
class OnDevice:
    """Options of work that PyTorch does."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        option(
            "Where to compute: on the processor (cpu) or on an NVIDIA GPU (cuda); auto takes the GPU if there is one.",
            group="Machine",
        ),
    ] = "auto"
    threads: Annotated[
        int | None, option("Number of processor threads; by default as many as PyTorch chooses.", group="Machine", ge=1)
    ] = None
