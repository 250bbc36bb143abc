"""The first task of every DAG: refuse a run that cannot mean what it says."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.engine.go_live import Mode, NotLiveError, job_modes, mode_of
from hoa_ops.engine.live_dates import check_begun, check_live_date
from hoa_ops.engine.switch import switched_off_jobs
from hoa_ops.engine.tenants import tenants_in_scope
from hoa_ops.errors import NotReadyError, RequestError
from hoa_ops.operators.this_run import ThisRun, refusal, stop_if_nobody_asked
from hoa_ops.schema.version import check_version
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.database import Cursor
    from hoa_ops.jobs import Job

WIDTH_OF_A_LOG = 90
"""Characters that Airflow's page shows of a line on an ordinary screen; of a longer one it cuts off the rest."""


class CheckParamsOperator(BaseOperator):
    """Check a run's params, alone and against the database, before any other task touches anything.

    :param jobs: the jobs of the DAG.
    """

    def __init__(self, *, jobs: Sequence[Job], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs = jobs

    def execute(self, context: Context) -> None:
        """Log what the run was asked to do.

        :raises AirflowFailException: when a param is wrong, contradicts another, or names what does not exist; when a
            live run is asked for that cannot be one; or when the tables are not those of this version of the package.
        """
        stop_if_nobody_asked(context)
        try:
            self._check(context)
        except AirflowFailException as refused:
            for line in textwrap.wrap(str(refused), WIDTH_OF_A_LOG):
                self.log.error("%s", line)  # noqa: TRY400 - the trace is in the log anyway, below
            raise

    def _check(self, context: Context) -> None:
        run = ThisRun.of(context, self.jobs[0])
        with (
            Database(get_settings().database_conn_id) as database,
            database.transaction(read_only=True) as cursor,
        ):
            try:
                check_version(cursor)
                switched_off_jobs()
                tenants = tenants_in_scope(cursor, run.request)
                modes = self._modes(cursor, run)
                if Mode.LIVE in modes:
                    check_live_date(run.run_date.as_of)
                    check_begun(cursor, run.run_date.as_of, tenants)
            except (NotReadyError, RequestError) as error:
                raise refusal(error) from None
        self.log.info(
            "%s as of %s for %d association(s)",
            {Mode.DRY_RUN: "Dry run", Mode.LIVE: "Live run", Mode.REHEARSAL: "Rehearsal"}[max(modes)],
            run.run_date.as_of,
            len(tenants),
        )

    def _modes(self, cursor: Cursor, run: ThisRun) -> set[Mode]:
        """Return how the jobs that the run may be for would be done.

        :raises NotLiveError: when a live run is asked for and none of them is live.
        """
        wanted = [job for job in self.jobs if run.request.only_job in {None, job.name}]
        modes, refused = set(), None
        for job_mode in job_modes(cursor, wanted):
            try:
                modes.add(mode_of(job_mode, run.request, run.run_date, by_hand=run.by_hand))
            except NotLiveError as error:
                refused = error
        if refused is not None and not modes:
            raise refused
        return modes
