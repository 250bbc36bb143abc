"""The first task of every DAG: refuse a run that cannot mean what it says."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.engine.tenants import tenants_in_scope
from hoa_ops.errors import HoaOpsError, NotReadyError, RequestError
from hoa_ops.jobs.run_request import RunDate, RunRequest
from hoa_ops.schema.migrations import check_version
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.jobs.schedule import Job


NO_CHANNEL = (
    "Alerts go nowhere: nobody is told of a task that fails or a run that is late. Set "
    "AIRFLOW__HOA_OPS__ALERT_SLACK_CONN_ID to a Slack webhook Connection, AIRFLOW__HOA_OPS__ALERT_EMAIL to a mailbox, "
    "or both."
)

WIDTH_OF_A_LOG = 90
"""Characters that Airflow's page shows of a line on an ordinary screen; of a longer one it cuts off the rest."""

Request = TypeVar("Request", bound=RunRequest)


def read_request(model: type[Request], context: Context, *, job: Job | None = None) -> tuple[Request, RunDate]:
    """Read what a run was asked to do, and the date it stands for.

    :param job: the job that asks; default: the first of the DAG.
    :raises AirflowFailException: at once and for good, with a sentence that says which param to change.
    """
    try:
        request = model.read(context["params"])
        return request, RunDate.of(request, context["dag_run"], job=job or model.jobs[0])
    except RequestError as error:
        raise refusal(error) from None


def refusal(error: HoaOpsError) -> AirflowFailException:
    """Return the error that ends a run at once, without another try."""
    return AirflowFailException(f"This run was refused and nothing was touched: {error}.")


class CheckParamsOperator(BaseOperator):
    """Check a run's params, alone and against the database, before any other task touches anything.

    :param request_model: the params of the DAG.
    :param conn_id: Airflow Connection to the associations' database.
    """

    def __init__(self, *, request_model: type[RunRequest], conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request_model = request_model
        self.conn_id = conn_id

    def execute(self, context: Context) -> None:
        """Log what the run was asked to do.

        :raises AirflowFailException: when a param is wrong, contradicts another, or names what does not exist, or when
            the tables are not those of this version of the package.
        """
        try:
            self._check(context)
        except AirflowFailException as refused:
            for line in textwrap.wrap(str(refused), WIDTH_OF_A_LOG):
                self.log.error("%s", line)  # noqa: TRY400 - the trace is in the log anyway, below
            raise

    def _check(self, context: Context) -> None:
        settings = get_settings()
        if not settings.alert_channels:
            self.log.warning(NO_CHANNEL)
        request, run_date = read_request(self.request_model, context)
        with (
            Database(self.conn_id or settings.database_conn_id) as database,
            database.transaction(read_only=True) as cursor,
        ):
            try:
                check_version(cursor)
                tenants = tenants_in_scope(cursor, request)
            except (NotReadyError, RequestError) as error:
                raise refusal(error) from None
        self.log.info(
            "%s as of %s for %d association(s)",
            "Dry run" if request.dry_run else "Live run",
            run_date.as_of,
            len(tenants),
        )
