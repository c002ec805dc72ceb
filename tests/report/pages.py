"""A finished report, parsed: what is wrong with it as a page, and where it contradicts itself or its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pandas as pd

_SPACE = "{http://www.w3.org/1999/xhtml}"
_NUMBER = re.compile(r"[−-]?\d+\.\d+")  # whole numbers are everywhere
# Words of columns, and how pages spell them out.
_SHORT = {
    "r2": {"r²"},
    "rmse": {"error"},
    "coverage": {"interval"},
    "copy": {"copied"},
    "predicted": {"median"},
    "pearson": {"correlation"},
}
_SAYS_NOTHING = {"of", "the", "to", "a", "and", "in", "by", "is", "all", "value", "result", "true", "false", "nan"}
_EXPONENT = re.compile(r"\de[+-]\d")
# Heads of columns whose numbers have no unit: counts, ratios, scores, and numbers that have their unit in the row.
_PURE = re.compile(
    r"\b(R|R²|rank|samples|structures|realisation|iterations|evaluations|models|windows|additions|channels|points|"
    r"spectra|count|n|p|by chance|stability|skill|seed|least|greatest|lower|upper|value|limit|statistic|file|fold|"
    r"correlation|ratio|residual|distance|error|difference|interval|intervals|score|score ratio|place in the plateau|"
    r"cluster function|lineal path|path|density|surface|length|fraction|conductivity|stiffness|properties|width|depth|"
    r"group|median|largest|smallest|y|x|z|row|column|over expected|size|largest t|sign|wanted precision|"
    r"of its row|each|C\(..\)|formation factor|tortuosity factor|young|poisson|phase|censored|match|mean|thickness|"
    r"connected\)|function|plate|well|change)\b"
)


def faults(report: Path) -> Iterator[str]:
    """Everything that is wrong with the report of a finished run."""
    text = report.read_text(encoding="utf-8")
    parser = html5lib.HTMLParser()
    page = parser.parse(text)
    yield from (f"not HTML: {code} at {place}" for place, code, _ in parser.errors)
    if "has not finished" in text:
        yield "says that it has not finished"
    yield from _of_structure(page)
    for image in _all(page, "img"):
        alt, caption = image.get("alt", ""), _caption(page, image)
        if len(alt) < 15 or alt.strip(". ") == caption.strip(". "):
            yield f"a picture whose description says nothing: {alt!r}"
    for table in _all(page, "table"):
        yield from _of_table(table)
    for tag in ("p", "li", "td", "strong", "small"):
        yield from (f"an exponent of programs: {_text(one)}" for one in _all(page, tag) if _EXPONENT.search(_text(one)))
    yield from _contradictions(page, report.parent)


def _of_structure(page: Element) -> Iterator[str]:
    if page.get("lang") != "en":
        yield "no language"
    if len(list(_all(page, "h1"))) != 1:
        yield "not one main heading"
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    if len(ids) != len(set(ids)):
        yield "two elements of one id"
    for link in _all(page, "a"):
        target = link.get("href", "")
        if target.startswith("#") and target[1:] not in ids:
            yield f"a link to {target}, which is not there"
    if not _text(_one(page, "headline")):
        yield "no headline"
    if len(_tiles(page)) > 5:
        yield f"{len(_tiles(page))} tiles"
    if any(element.get("scope") not in ("col", "row") for element in _all(page, "th")):
        yield "a heading of a table without scope"
    level = 1
    for element in page.iter():
        found = re.fullmatch(rf"{_SPACE}h([1-6])", str(element.tag))
        if found:
            if int(found[1]) > level + 1:
                yield f"heading {_text(element)!r} skips a level"
            level = int(found[1])


def _of_table(table: Element) -> Iterator[str]:
    heads = [_text(head) for head in _all(table, "th") if head.get("scope") == "col"]
    rows = [[_text(cell) for cell in row] for row in _all(table, "tr") if row[0].get("scope") != "col"]
    if not rows:
        yield f"an empty table: {heads}"
    for index, head in enumerate(heads):
        cells = [row[index] for row in rows]
        if all(cell in ("", "–", "nan") for cell in cells):
            yield f"an empty column: {head!r}"
        if any(cell in ("nan", "None", "True", "False") for cell in cells):
            yield f"a word of Python in column {head!r}"
        decimal = any(_NUMBER.fullmatch(cell.split(" (")[0]) for cell in cells)
        if decimal and "(" not in head and not _PURE.search(head):
            yield f"a column of numbers without a unit: {head!r}"
        long = [cell for cell in cells if re.fullmatch(r"[−-]?[\d.]+", cell) and len(_digits(cell)) > 4]
        if long:
            yield f"digits that nobody needs: {long[:2]}"
    for row in rows:
        if len(row) > 1 and all(cell in ("", "–") for cell in row[1:]):
            yield f"a row of dashes: {row[0]!r}"


def _contradictions(page: Element, run: Path) -> Iterator[str]:
    """Numbers of headline and tiles that no table of the run holds, and counts that a table on the page denies."""
    known = _numbers(run)
    told = [(_text(_one(page, "headline")), _text(_one(page, "headline")))]
    told += [(f"{name} {unit}", f"{value} {interval}") for name, value, unit, interval in _named_tiles(page)]
    for name, text in told:
        about = _words(name)
        for word in _NUMBER.findall(re.sub(r"[\d.]+ →", "", text)):  # where a change starts stands in the library
            number, digits = float(word.replace("−", "-")), len(word.partition(".")[2])
            held = [of for one, of in known if abs(round(one, digits) - number) < 1.01 * 10.0**-digits]
            if not held:
                yield f"{word} in {text!r} stands in no table of the run"
            elif not any(about & of for of in held):
                yield f"{word} of {name!r} stands in tables of the run under other names alone: {held[:3]}"
    counts = {name: value for name, value, _ in _tiles(page)}
    for table in _all(page, "table"):
        heads = [_text(head) for head in _all(table, "th") if head.get("scope") == "col"]
        if heads[:1] == ["statistic"] and "verdict" in heads and not _inside_folded(page, table):
            verdicts = [_text(row[heads.index("verdict")]) for row in _all(table, "tr")][1:]
            same, most = map(int, counts["equivalent statistics"].split(" of "))
            if not same <= verdicts.count("equivalent") or not most <= len(verdicts):
                yield f"{counts['equivalent statistics']} equivalent, but the table says {verdicts}"
    for name, value in counts.items():
        found = re.fullmatch(r"(\d+) of (\d+)", value)
        if found and int(found[1]) > int(found[2]):
            yield f"{name}: {value}"


def _numbers(run: Path) -> list[tuple[float, set[str]]]:
    """Numbers of all tables of a run, also as percent, each with the words of its column and of its row."""
    found: list[tuple[float, set[str]]] = []
    for file in (*run.glob("*.csv"), *run.glob("*/*.csv")):
        if file.stat().st_size > 1:
            try:
                frame = pd.read_csv(file, comment="#")
            except pd.errors.ParserError:
                continue
            values = frame.select_dtypes("number")
            rows = [_words(" ".join(map(str, row))) for row in frame.select_dtypes(exclude="number").to_numpy()]
            for name in values:
                # an interval has the name of what it is of, which is another column
                about = _words(f"{file.stem} {' '.join(values) if name in ('low', 'high') else name}")
                found += [(value, about | row) for value, row in zip(values[name].astype(float), rows)]
                found += [
                    (float(one), about) for one in (values[name].median(), values[name].min(), values[name].max())
                ]
    facts = (run / "provenance.json").read_text(encoding="utf-8")
    found += [(float(value), _words(name)) for name, value in re.findall(r'"(\w+)": (-?\d+\.\d+)', facts)]
    if (run / "principal.csv").is_file():  # the ratio of principal values is made for the page
        principal = pd.read_csv(run / "principal.csv")["value"]
        found.append((principal.max() / principal.min(), {"anisotropy", "ratio", "principal"}))
    return [*found, *((100 * value, words) for value, words in found)]


def _words(text: str) -> set[str]:
    """Words of a name without their endings, also those that stand for it."""
    found = {word.rstrip("s") for word in re.findall(r"[a-zäöü²]+[0-9]*", text.lower().replace("_", " "))}
    found -= _SAYS_NOTHING
    return found | {short for short, words in _SHORT.items() if words & found}


def _all(element: Element, tag: str) -> Iterator[Element]:
    return element.iter(f"{_SPACE}{tag}")


def _one(page: Element, kind: str) -> Element | None:
    return next((element for element in page.iter() if kind in element.get("class", "").split()), None)


def _text(element: Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _named_tiles(page: Element) -> list[tuple[str, str, str, str]]:
    """Name, value, unit and interval of each tile."""
    tiles = _one(page, "tiles")
    found = []
    for tile in _all(tiles, "div") if tiles is not None else ():
        name, value = _text(next(_all(tile, "dt"))), _text(next(_all(tile, "strong")))
        interval = _text(next(_all(tile, "small"), None))
        found.append((name, value, _text(tile).replace(name, "").replace(value, "").replace(interval, ""), interval))
    return found


def _tiles(page: Element) -> list[tuple[str, str, str]]:
    """Name, value and interval of each tile."""
    tiles = _one(page, "tiles")
    return [
        (_text(next(_all(tile, "dt"))), _text(next(_all(tile, "strong"))), _text(next(_all(tile, "small"), None)))
        for tile in (tiles if tiles is not None else ())
    ]


def _caption(page: Element, image: Element) -> str:
    figure = next(figure for figure in _all(page, "figure") if image in list(_all(figure, "img")))
    return _text(next(_all(figure, "figcaption"))).replace("data (CSV)", "").strip()


def _digits(cell: str) -> str:
    """Significant digits of a decimal number; a whole number has as many as it needs."""
    return re.sub(r"\D", "", cell).lstrip("0") if "." in cell else ""


def _inside_folded(page: Element, table: Element) -> bool:
    return any(table in list(_all(folded, "table")) for folded in _all(page, "details"))
