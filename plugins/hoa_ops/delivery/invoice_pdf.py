"""The PDF of an assessment invoice, drawn from the facts that were frozen with its mail."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from hoa_ops.settings import get_settings
from hoa_ops.templates import long_date, money

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN_FONT = "helvetica"
BUILT_IN_ENCODING = "windows-1252"
UNICODE_FONT = "DejaVu Sans"
GRAY, LIGHT_GRAY = 110, 200
MARGIN = 20  # millimeters
LINE = 6  # millimeters

# They name what they do not find in a font, and that comes from people's names and addresses.
for _library in ("fpdf", "fontTools"):
    logging.getLogger(_library).setLevel(logging.ERROR)


def invoice_pdf(facts: Mapping[str, Any]) -> bytes:
    """Draw an invoice on US letter paper; the same facts always give the same bytes.

    :param facts: association, owner, unit, lines and amounts as ``generate_invoices/messages.sql`` gives them, as JSON;
        amounts are dollars, dates are ISO.
    """
    page = _InvoicePage(facts)
    page.heading(facts)
    page.lines(facts)
    page.how_to_pay(facts)
    return bytes(page.output())


class _InvoicePage(FPDF):
    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__(format="letter")
        self.set_margin(MARGIN)
        self.core_fonts_encoding = BUILT_IN_ENCODING
        self.typeface = self._typeface(str(facts))
        self.set_lang("en-US")
        self.set_title(f"Invoice {facts['invoice_number']}")
        self.set_author(facts["tenant_name"])
        self.set_creation_date(datetime.fromisoformat(facts["invoice_date"]).replace(tzinfo=UTC))
        self.set_draw_color(LIGHT_GRAY)
        self.add_page()

    def _typeface(self, text: str) -> str:
        """Choose a font that can show the text: the built-in one is drawn a hundred times faster."""
        try:
            text.encode(BUILT_IN_ENCODING)
        except UnicodeEncodeError:
            folder = get_settings().include_dir / "fonts"
            self.add_font(UNICODE_FONT, "", folder / "DejaVuSans.ttf")
            self.add_font(UNICODE_FONT, "B", folder / "DejaVuSans-Bold.ttf")
            return UNICODE_FONT
        return BUILT_IN_FONT

    def heading(self, facts: Mapping[str, Any]) -> None:
        self._write(facts["tenant_name"], size=16, bold=True)
        self._write(f"Invoice {facts['invoice_number']}", size=12)
        self.ln(LINE)
        top = self.get_y()
        half = self.epw / 2
        self._write("Bill to", gray=True, width=half)
        self._write(facts["recipient_name"], bold=True, width=half)
        self._write(facts["postal_address"] or "", width=half)
        bottom = self.get_y()
        self.set_xy(self.l_margin + half, top)
        with self.table(
            width=half,
            align=Align.R,
            col_widths=(2, 3),
            text_align=(Align.L, Align.R),
            borders_layout=TableBordersLayout.NONE,
            first_row_as_headings=False,
            line_height=LINE,
        ) as table:
            for label, value in (
                ("Unit", facts["unit_number"]),
                ("Invoice date", long_date(facts["invoice_date"])),
                ("Due date", long_date(facts["due_date"])),
                ("Balance due", money(facts["balance_due"])),
            ):
                self._row(table, label, value)
        self.set_y(max(bottom, self.get_y()) + LINE * 2)

    def lines(self, facts: Mapping[str, Any]) -> None:
        with self.table(
            col_widths=(4, 1),
            text_align=(Align.L, Align.R),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", color=GRAY),
            line_height=LINE + 2,
        ) as table:
            self._row(table, "Description", "Amount")
            for line in facts["lines"]:
                self._row(table, line["description"], money(line["amount"]))
            if Decimal(facts["credit_applied"]):
                self._row(table, "Credit applied", money(-Decimal(facts["credit_applied"])))
            self._row(table, "Balance due", money(facts["balance_due"]), style=FontFace(emphasis="BOLD"))
        self.ln(LINE)

    def how_to_pay(self, facts: Mapping[str, Any]) -> None:
        if not Decimal(facts["balance_due"]):
            self._write("Your credit covers this invoice in full. No payment is due.")
        elif facts["payment_instructions"]:
            self._write("How to pay", bold=True)
            self._write(facts["payment_instructions"])

    def footer(self) -> None:
        self.set_y(-MARGIN)
        self._write(f"Page {self.page_no()} of {{nb}}", size=8, gray=True)

    def _write(self, text: str, *, size: int = 10, bold: bool = False, gray: bool = False, width: float = 0) -> None:
        self.set_font(self.typeface, "B" if bold else "", size)
        self.set_text_color(GRAY if gray else 0)
        self.multi_cell(width, size * 0.55, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(self.typeface, size=10)
        self.set_text_color(0)

    @staticmethod
    def _row(table: Any, *cells: str, style: FontFace | None = None) -> None:
        row = table.row(style=style)
        for cell in cells:
            row.cell(cell)
