"""Rendering of mails, reports and alerts.

They have environments of their own, because Airflow's Jinja environment does not escape HTML and must not, since
it renders SQL.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from hoa_ops.settings import get_settings


def money(amount: Decimal | str) -> str:
    """Write an amount of dollars: ``$1,234.50``, ``-$3.00``."""
    value = Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def signed_percent(percent: Decimal | str | None) -> str:
    """Write a variance in percent with its sign and one decimal: ``+20.8%``; without a percentage: ``unbudgeted``."""
    return "unbudgeted" if percent is None else f"{Decimal(percent):+.1f}%"


def share(percentage: Decimal | str) -> str:
    """Write an owner's share of a unit: ``50%``, ``33.3333%``."""
    return f"{Decimal(percentage).normalize():f}%"


def long_date(day: date | str) -> str:
    """Write a date as letters do: October 29, 2025."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{day:%B} {day.day}, {day.year}"


def month(day: date | str) -> str:
    """Write the month of a date: November 2025."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{day:%B %Y}"


def moment(at: datetime) -> str:
    """Write a moment in the deployment's time zone: ``Nov 6, 2025 03:00``."""
    local = at.astimezone(get_settings().zone)
    return f"{local:%b} {local.day}, {local.year} {local:%H:%M}"


def counted(number: int, noun: str) -> str:
    """Write how many there are of something: ``1 message``, ``1,200 messages``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def mrkdwn(text: str) -> str:
    """Write text so that Slack shows it as it is: no link, no mention, no call to everybody in the channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(get_settings().templates_dir),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    for filter_ in (money, signed_percent, share, long_date, month, moment, counted, mrkdwn):
        environment.filters[filter_.__name__] = filter_
    return environment


def render(template: str, **facts: Any) -> str:
    """Render ``include/templates/<template>``; HTML templates escape every fact."""
    return _environment().get_template(template).render(**facts)
