"""``matlens inspect`` on tables and folders of libraries."""

import pytest

from matlens.cli.app import main

TABLE = "Sample,FA,MA,Cs,batch,Instability\na,0.33,0.33,0.33,1,5\nb,0.5,0.25,0.25,2,\nc,0.5,0.25,0.25,2,7\n"


def inspect(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["inspect", *map(str, arguments)])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def test_a_table_is_said_in_one_line(tmp_path, capsys) -> None:
    (tmp_path / "library.csv").write_text(TABLE)
    code, out, _ = inspect(capsys, tmp_path / "library.csv")
    assert code == 0
    assert out.splitlines() == [
        "library.csv: 3 samples of 2 compositions; components FA, MA, Cs (%); figure of merit Instability (no unit, 1 "
        "not measured); spectrum: none; further columns: batch",
        "  1 of 3 rows were renormalised (their sums were 0.99 to 0.99, which the rounding of the fractions explains)",
    ]


def test_a_folder_says_what_is_not_read(tmp_path, capsys) -> None:
    (tmp_path / "library.csv").write_text(TABLE)
    (tmp_path / "a.wip").write_bytes(b"\0\1")
    code, out, _ = inspect(capsys, tmp_path)
    assert code == 0
    assert "files that are not read: a.wip" in out


def test_what_is_open_names_the_option(tmp_path, capsys) -> None:
    (tmp_path / "t.csv").write_text("Sample;Fe;Ga;P\na;50;50;1,176\nb;25;75;890\n")
    code, _, err = inspect(capsys, tmp_path / "t.csv")
    assert code == 2
    assert "--decimal point or --decimal comma" in err
    code, out, _ = inspect(capsys, tmp_path / "t.csv", "--target", "P", "--decimal", "comma", "--unit", "T")
    assert code == 0
    assert "components Fe, Ga (at%); figure of merit P (T);" in out
