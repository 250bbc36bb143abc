"""Which days a live run may be dated. The only place in the jobs that asks the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hoa_ops.database import query
from hoa_ops.errors import RequestError
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from hoa_ops.database import Cursor
    from hoa_ops.engine.tenants import Tenant

TOLERANCE = timedelta(days=1)
"""Somewhere it is tomorrow already."""


def check_live_date(as_of: date) -> None:
    """Refuse a live run that is dated ahead, or so long ago that the date must be a mistake.

    :param as_of: the day that the run stands for.
    :raises RequestError: saying what to do instead.
    """
    settings = get_settings()
    today = _today()
    if as_of > today + TOLERANCE:
        raise RequestError(
            f"the run is dated {as_of}, and today is {today}: a live run cannot be dated ahead; wait for the day, "
            f"or set dry_run to look ahead"
        )
    oldest = today - timedelta(days=settings.live_run_days)
    if as_of < oldest:
        raise RequestError(
            f"the run is dated {as_of}, more than {settings.live_run_days} days ago (setting live_run_days): "
            f"correct the date, or set dry_run to look back"
        )


def check_begun(cursor: Cursor, as_of: date, tenants: Sequence[Tenant]) -> None:
    """Refuse a live run that is dated before any of its associations began.

    :raises RequestError: naming the first day there is.
    """
    if as_of >= _today() - TOLERANCE:
        return
    tenant_ids = [tenant.tenant_id for tenant in tenants]
    [row] = cursor.rows(query("engine/first_day.sql"), {"tenant_ids": tenant_ids})
    first_day: date | None = row["first_day"]
    if first_day is not None and as_of < first_day:
        raise RequestError(
            f"the run is dated {as_of}, and nothing began before {first_day} (the first day on which a unit has an "
            f"owner, or the association's billing_starts_on): correct the date, or set dry_run to look back"
        )


def _today() -> date:
    return datetime.now(get_settings().zone).date()
