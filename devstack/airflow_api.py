"""A thin client for the parts of Airflow's REST API that the demo and the tests need."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from devstack.waiting import NotInTimeError, wait_until

FINAL_STATES = frozenset({"success", "failed"})


@dataclass(frozen=True)
class LogLine:
    """One event of a task's log."""

    event: str
    level: str
    logger: str


class AirflowApi:
    """Airflow at ``url``, as the given user. Logs in by itself."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._login = {"username": user, "password": password}
        # trust_env=False: a proxy or a .netrc of the person at the keyboard has no business on loopback.
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the server."""
        self._http.close()

    def is_healthy(self) -> bool:
        """Whether all components report in."""
        try:
            health = self._http.get("/api/v2/monitor/health")
        except httpx.TransportError:
            return False
        return health.is_success and all(part["status"] == "healthy" for part in health.json().values())

    def import_errors(self) -> dict[str, str]:
        """Files that Airflow could not import, each with its traceback."""
        errors = self.get("importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def dag_ids(self) -> set[str]:
        """The DAGs that Airflow has read so far."""
        return {dag["dag_id"] for dag in self.get("dags")["dags"]}

    def wait_for_dags(self, dag_ids: Sequence[str], *, limit: float = 60) -> None:
        """Return once Airflow has read all of these DAGs; an import error ends the wait at once."""

        def known() -> bool:
            errors = self.import_errors()
            if errors:
                message = "\n".join(f"{file} cannot be imported:\n{trace}" for file, trace in errors.items())
                raise RuntimeError(message)
            return set(dag_ids) <= self.dag_ids()

        wait_until(known, f"Airflow did not read the DAGs {', '.join(dag_ids)}", limit=limit)

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs start."""
        self._request("PATCH", f"dags/{dag_id}", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Let no more runs of the DAG start."""
        self._request("PATCH", f"dags/{dag_id}", {"is_paused": True})

    def trigger(
        self, dag_id: str, conf: Mapping[str, Any] | None = None, *, logical_date: datetime | None = None
    ) -> str:
        """Start a run and return its id. Unless a logical date is given, the run has none."""
        body = {"conf": dict(conf or {}), "logical_date": logical_date and logical_date.isoformat()}
        run_id: str = self._request("POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"]
        return run_id

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """Mark a run as failed, which ends it."""
        self._request("PATCH", f"dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def backfill(self, dag_id: str, from_date: str, to_date: str) -> None:
        """Ask for a run of each scheduled moment between two days."""
        self._request("POST", "backfills", {"dag_id": dag_id, "from_date": from_date, "to_date": to_date})

    def run_state(self, dag_id: str, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        state: str = self.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state

    def wait_for_run(self, dag_id: str, run_id: str, *, limit: float = 120) -> str:
        """Return the final state of a run: success or failed."""
        try:
            wait_until(
                lambda: self.run_state(dag_id, run_id) in FINAL_STATES,
                f"the run {run_id} of {dag_id} did not end",
                limit=limit,
                pause=0.3,
            )
        except NotInTimeError as error:
            error.add_note(f"task states: {self.task_states(dag_id, run_id)}")
            raise
        return self.run_state(dag_id, run_id)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, as the API describes them."""
        instances: list[dict[str, Any]] = self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return instances

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """The state of each task of a run."""
        return {instance["task_id"]: instance["state"] for instance in self.task_instances(dag_id, run_id)}

    def task_log(self, dag_id: str, run_id: str, task_id: str, *, attempt: int = 1) -> list[LogLine]:
        """The log of one attempt of a task, one entry a line, with the messages of its exceptions."""
        response = self._send(
            "GET",
            f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}",
            headers={"Accept": "application/x-ndjson"},
        )
        entries = [json.loads(line) for line in response.text.splitlines() if line]
        return [
            LogLine(line, entry.get("level") or "", entry.get("logger") or "")
            for entry in entries
            for text in (entry["event"], *(error["exc_value"] for error in entry.get("error_detail") or ()))
            for line in str(text).split("\n")
        ]

    def get(self, path: str) -> Any:
        """The decoded answer to a GET below ``/api/v2/``."""
        return self._request("GET", path)

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._send(method, path, json=body).json()

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        if "Authorization" not in self._http.headers:
            token = self._checked(self._http.post("/auth/token", json=self._login)).json()["access_token"]
            self._http.headers["Authorization"] = f"Bearer {token}"
        return self._checked(self._http.request(method, f"/api/v2/{path}", **arguments))

    @staticmethod
    def _checked(response: httpx.Response) -> httpx.Response:
        if response.is_error:
            request = response.request
            message = f"{request.method} {request.url}: {response.status_code} {response.text}"
            raise RuntimeError(message)
        return response
