"""The plugin: a status for monitors and the history of the jobs, in Airflow's own web server and navigation."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='{color}' "
    "stroke-width='2' stroke-linecap='round' stroke-linejoin='round'%3E%3Cpath d='M3 11 12 4l9 7'/%3E"
    "%3Cpath d='M5 10v10h14V10'/%3E%3Cpath d='M9 20v-4M12 20v-7M15 20v-5'/%3E%3C/svg%3E"
)


@cache
def _app() -> FastAPI:
    # Every component of Airflow loads its plugins; only the API server needs what this imports. And if it cannot be
    # imported, only these pages are missing.
    from hoa_ops.web import create_app  # noqa: PLC0415

    return create_app()


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; the first one loads the application, off the server's event loop."""
    app = await asyncio.to_thread(_app)
    await app(scope, receive, send)


class HoaOpsPlugin(AirflowPlugin):
    """Registers the application below ``/hoa-ops`` and its first page in the navigation."""

    name = "hoa_ops"
    fastapi_apps: ClassVar[list[Any]] = [{"app": serve, "url_prefix": "/hoa-ops", "name": "HOA Ops"}]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "HOA history",
            # Relative, so that it is found if Airflow is not at the root of its host.
            "href": "hoa-ops/",
            "destination": "nav",
            "url_route": "hoa-ops",
            "nav_top_level": True,
            "icon": ICON.format(color="%23475569"),
            "icon_dark_mode": ICON.format(color="%23cbd5e1"),
        }
    ]
