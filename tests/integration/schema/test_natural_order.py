"""How numbers within text are put in order: unit 2 before unit 10."""

import pytest


@pytest.mark.parametrize(
    "labels",
    [
        ["V-1", "V-2", "V-9", "V-10", "V-11", "V-100"],
        ["1", "2", "2A", "10", "10A"],
        ["A-1", "A-2", "A-10", "B-1"],
        ["INV-00009", "INV-99999", "INV-100000"],
        ["2024-9-10", "2025-1-2", "2025-1-10"],
    ],
)
def test_numbers_within_text_count_as_numbers(database, labels):
    ordered = database.rows(
        "SELECT label FROM unnest(%s::text[]) AS label ORDER BY natural_order(label)", list(reversed(labels))
    )
    assert [row["label"] for row in ordered] == labels


def test_no_two_labels_have_the_same_place(database):
    """V-9 and V-09 are two violations: a running total must not count them as one."""
    assert database.value("SELECT natural_order('V-9') <> natural_order('V-09')")


def test_digits_beyond_every_number_are_put_somewhere(database):
    assert database.value("SELECT natural_order(repeat('9', 60)) IS NOT NULL")
