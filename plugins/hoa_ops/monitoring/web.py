"""What the plugin serves over HTTP: the history for whoever may see the DAGs' runs, and a bare status for anybody."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from hoa_ops.database import Database
from hoa_ops.errors import HoaOpsError, RequestError
from hoa_ops.jobs import job_named
from hoa_ops.monitoring import history
from hoa_ops.monitoring.health import PATIENCE, check_health
from hoa_ops.settings import get_settings
from hoa_ops.templates import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from hoa_ops.database import Cursor

STATUS_KEPT_SECONDS = 2.0
"""For how long one look at the ledger answers all monitors: anybody may ask, so that many asking must cost nothing."""

status = APIRouter()
pages = APIRouter(
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN, dag_id)) for dag_id in history.DAG_IDS],
    default_response_class=HTMLResponse,
)


def create_app() -> FastAPI:
    """Return the application that Airflow's API server mounts."""
    app = FastAPI(title="HOA Ops", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(status)
    app.include_router(pages)
    app.add_exception_handler(HoaOpsError, _explain)
    return app


@status.get("/health")
def health() -> JSONResponse:
    """Say whether each job is late, and whether mail is stuck; 200 if all is well, else 503."""
    found = _bare_status.get()
    return JSONResponse(found, 200 if found["status"] == "ok" else 503, headers={"Cache-Control": "no-store"})


@pages.get("/")
def overview(request: Request) -> HTMLResponse:
    """Show all jobs."""
    return _page(request, "overview", lambda cursor: history.overview(cursor, at=_now()))


@pages.get("/jobs/{job}")
def job_runs(request: Request, job: str, before: datetime | None = None) -> HTMLResponse:
    """Show the runs of one job."""
    return _page(request, "job", lambda cursor: history.job_runs(cursor, job_named(job), before=before))


@pages.get("/jobs/{job}/run")
def job_run(request: Request, job: str, dag_run_id: Annotated[str, Query(alias="id")]) -> HTMLResponse:
    """Show what one run did for each association."""
    return _page(request, "run", lambda cursor: history.job_run(cursor, job_named(job), dag_run_id))


@pages.get("/association")
def association(request: Request, tenant: Annotated[str, Query(alias="code")]) -> HTMLResponse:
    """Show what was done for one association."""
    return _page(request, "association", lambda cursor: history.association(cursor, tenant, at=_now()))


class _BareStatus:
    """The last answer of :func:`health`, looked up anew when it is too old, by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Any] = {}
        self._good_until = 0.0

    def get(self) -> dict[str, Any]:
        if not self._lock.acquire(timeout=PATIENCE.total_seconds()):
            return {"status": "unknown"}
        try:
            if time.monotonic() >= self._good_until:
                self._found = self._look()
                self._good_until = time.monotonic() + STATUS_KEPT_SECONDS
            return self._found
        finally:
            self._lock.release()

    @staticmethod
    def _look() -> dict[str, Any]:
        try:
            return _read(lambda cursor: check_health(cursor, at=_now()).bare)
        except Exception:  # noqa: BLE001 - a monitor must get an answer, and nothing that tells of our insides
            return {"status": "unknown"}


_bare_status = _BareStatus()


def _read(look: Callable[[Cursor], dict[str, Any]]) -> dict[str, Any]:
    with (
        Database(get_settings().database_conn_id) as database,
        database.transaction(read_only=True, patience=PATIENCE) as cursor,
    ):
        return look(cursor)


def _page(request: Request, template: str, look: Callable[[Cursor], dict[str, Any]]) -> HTMLResponse:
    return _html(request, template, _read(look))


def _explain(request: Request, error: Exception) -> HTMLResponse:
    wrong_address = isinstance(error, RequestError)
    return _html(request, "error", {"error": str(error)}, status_code=404 if wrong_address else 503)


def _html(request: Request, template: str, facts: dict[str, Any], *, status_code: int = 200) -> HTMLResponse:
    here = request.scope["root_path"]
    nonce = secrets.token_urlsafe()
    html = render(
        f"monitoring/pages/{template}.html",
        here=here,
        airflow=here.removesuffix("/hoa-ops"),
        nonce=nonce,
        now=_now(),
        **facts,
    )
    return HTMLResponse(
        html,
        status_code,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; "
                f"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        },
    )


def _now() -> datetime:
    return datetime.now(get_settings().zone)
