"""The command ``compare``: a comparison that can be trusted."""

import pytest

from hoa_ops.cli.main import main

PLAN = """\
association,unit_number,period,amount,action,reason
maple,101,2025-11-01,250.00,post,
maple,102,2025-11-01,150.00,post,
maple,102,2025-11-01,100.00,post,
maple,103,2025-11-01,,leave,the unit is vacant
"""


@pytest.fixture
def compare(tmp_path, capsys):
    def run(theirs, ours=PLAN):
        (tmp_path / "plan.csv").write_text(ours)
        (tmp_path / "old.csv").write_text(theirs)
        status = main(["compare", str(tmp_path / "plan.csv"), str(tmp_path / "old.csv")])
        printed = capsys.readouterr()
        return status, [line.replace(f"{tmp_path}/", "") for line in (printed.out + printed.err).splitlines()]

    return run


def test_rows_with_the_same_key_are_added_up_on_both_sides(compare):
    assert compare("unit_number,amount\n101,200\n101,50.00\n102,250\n") == (
        0,
        ["The same: 2 row(s)", "Totals: plan $500.00, other file $500.00, difference $0.00"],
    )


def test_differences_are_listed_with_totals(compare):
    assert compare("period,unit_number,amount\n2025-11-01,101,249.99\n2025-11-01,103,250\n2025-11-01,104,1\n") == (
        1,
        [
            "Only in the plan: 1 row(s), $250.00",
            "  2025-11-01, 102: $250.00",
            "Only in the other file: 2 row(s), $251.00",
            "  2025-11-01, 103: $250.00 (the plan leaves it alone: the unit is vacant)",
            "  2025-11-01, 104: $1.00",
            "Different amounts: 1 row(s)",
            "  2025-11-01, 101: plan $250.00, other file $249.99",
            "The same: 0 row(s)",
            "Totals: plan $500.00, other file $500.99, difference -$0.99",
        ],
    )


def test_two_empty_files_are_the_same(compare):
    assert compare("unit_number,amount\n", PLAN.splitlines()[0] + "\n")[0] == 0


@pytest.mark.parametrize(
    ("theirs", "complaint"),
    [
        ("", "old.csv: there is no column amount"),
        ("unit_number,total\n101,1\n", "old.csv: there is no column amount"),
        ("amount\n1\n", "old.csv: it needs amount, one or more of the columns association, unit_number"),
        ("unit,amount\n101,1\n", "old.csv: it needs amount, one or more of the columns association, unit_number"),
        ("unit_number,amount\n101,$1\n", "old.csv: '$1' is not an amount: write dollars as 1250.00"),
        ("unit_number,amount\n101,\n", "old.csv: '' is not an amount"),
        ("unit_number,amount\n101,NaN\n", "old.csv: 'NaN' is not an amount"),
        ('unit_number,amount\n101,"1,250.00"\n', "old.csv: '1,250.00' is not an amount"),
        ("unit_number,amount\n101\n", "old.csv: row 1 does not have 2 values"),
        ("unit_number,amount\n101,1,2\n", "old.csv: row 1 does not have 2 values"),
    ],
)
def test_file_that_cannot_be_compared_is_refused(compare, theirs, complaint):
    status, lines = compare(theirs)
    assert status == 1
    assert lines[0].startswith(complaint)


def test_swapped_files_are_refused(compare):
    status, lines = compare(PLAN, "unit_number,amount\n101,1\n")
    assert status == 1
    assert lines == ["plan.csv: there is no column action, reason"]


def test_missing_file_is_named(tmp_path, capsys):
    assert main(["compare", str(tmp_path / "plan.csv"), str(tmp_path / "old.csv")]) == 1
    assert capsys.readouterr().err == f"{tmp_path}/plan.csv: cannot be read: No such file or directory\n"
    (tmp_path / "plan.csv").write_bytes(PLAN.encode("utf-16"))
    assert main(["compare", str(tmp_path / "plan.csv"), str(tmp_path)]) == 1
    assert "plan.csv: is not a CSV file in UTF-8" in capsys.readouterr().err
