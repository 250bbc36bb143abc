"""The plugin: a status for monitors and the history of the jobs, in Airflow's own web server and navigation."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

ICON = (
    # White and dark, to be seen on a light and on a dark ground, selected or not.
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='white' stroke='%23334155' "
    "stroke-width='1.8' stroke-linecap='round' stroke-linejoin='round'%3E%3Cpath d='M2 11 12 3l10 8-2 1v9H4v-9z'/%3E"
    "%3Cpath d='M9 18v-3M12 18v-6M15 18v-4'/%3E%3C/svg%3E"
)


@cache
def _app() -> FastAPI:
    # Every component of Airflow loads its plugins; only the API server needs what this imports. And if it cannot be
    # imported, only these pages are missing.
    from hoa_ops.monitoring.web import create_app  # noqa: PLC0415

    return create_app()


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; the first one loads the application, off the server's event loop."""
    app = await asyncio.to_thread(_app)
    await app(scope, receive, send)


class HoaOpsPlugin(AirflowPlugin):
    """Registers the application below ``/hoa-ops`` and its first page in the navigation."""

    name = "hoa_ops"
    fastapi_apps: list[Any] = [{"app": serve, "url_prefix": "/hoa-ops", "name": "HOA Ops"}]  # noqa: RUF012 - as Airflow has it
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "HOA history",
            # Relative, so that it is found if Airflow is not at the root of its host.
            "href": "hoa-ops/",
            "destination": "nav",
            "url_route": "hoa-ops",
            "nav_top_level": True,
            "icon": ICON,
        }
    ]
