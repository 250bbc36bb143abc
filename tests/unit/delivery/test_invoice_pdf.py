"""What an owner finds in the PDF of an invoice."""

import io
import logging

import pypdf
import pytest

from hoa_ops.delivery.invoice_pdf import invoice_pdf

FACTS = {
    "tenant_name": "Sunset Ridge HOA",
    "recipient_name": "John Smith",
    "postal_address": "12 Long Street\nPhoenix, AZ 85001",
    "unit_number": "101",
    "invoice_number": "INV-00001",
    "invoice_date": "2025-11-01",
    "due_date": "2025-11-11",
    "lines": [{"description": "Assessment November 2025, Unit 101", "amount": "1250.00"}],
    "amount": "1250.00",
    "credit_applied": "50.00",
    "balance_due": "1200.00",
    "payment_instructions": "Pay at https://pay.example.com\nor by check.",
}


def text(**facts):
    document = pypdf.PdfReader(io.BytesIO(invoice_pdf(FACTS | facts)))
    return "\n".join(page.extract_text() for page in document.pages)


def test_invoice_shows_owner_unit_lines_due_date_and_how_to_pay():
    shown = text()
    for fact in (
        "Sunset Ridge HOA", "Invoice INV-00001", "John Smith", "12 Long Street", "Phoenix, AZ 85001", "101",
        "November 1, 2025", "November 11, 2025", "Assessment November 2025, Unit 101", "$1,250.00", "Credit applied",
        "-$50.00", "$1,200.00", "How to pay", "https://pay.example.com", "or by check.",
    ):  # fmt: skip
        assert fact in shown


def test_missing_facts_are_left_out():
    shown = text(credit_applied="0.00", balance_due="1250.00", payment_instructions="", postal_address=None)
    assert "Credit" not in shown
    assert "How to pay" not in shown


def test_no_payment_is_due_when_credit_covers_it():
    shown = text(credit_applied="1250.00", balance_due="0.00")
    assert "No payment is due." in shown
    assert "How to pay" not in shown


@pytest.mark.parametrize(
    "name",
    [
        "José Núñez",
        "\N{LEFT DOUBLE QUOTATION MARK}Ann\N{RIGHT DOUBLE QUOTATION MARK} Smith",
        "Łukasz Świątek",
        "Nguyễn Thị Hạnh",
        "Ольга Иванова",
        "Ελένη",
    ],
)
def test_names_in_any_script_are_drawn(name):
    assert name in text(recipient_name=name)


def test_name_missing_from_the_font_does_not_stop_the_invoice_or_reach_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    assert "INV-00001" in text(recipient_name="李小龍 😀")
    assert "李" not in caplog.text


def test_long_content_continues_on_the_next_page():
    lines = [
        {"description": f"Assessment {number} " + "with a long description " * 8, "amount": "1.00"}
        for number in range(60)
    ]
    shown = text(lines=lines)
    assert "Assessment 59" in shown
    assert "Page 3 of" in shown


def test_same_facts_same_bytes():
    assert invoice_pdf(FACTS) == invoice_pdf(FACTS)
