"""The task that delivers what is in the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.delivery.mail_server import MailServer
from hoa_ops.delivery.outbox import Delivery
from hoa_ops.engine.go_live import job_modes
from hoa_ops.monitoring.alerts.stuck_mail import raise_alarm
from hoa_ops.operators.this_run import ThisRun, stop_if_refused
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.jobs import Job


class DeliverMessagesOperator(BaseOperator):
    """Deliver the e-mails that are due in the outbox, whichever run put them there.

    :param jobs: the jobs of the DAG.
    """

    def __init__(self, *, jobs: Sequence[Job], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs = jobs

    def execute(self, context: Context) -> dict[str, int]:
        """Send what is due and return how many messages ended in which state.

        However that went, people are told of mail that is stuck.

        :raises AirflowSkipException: for a dry run, which sends nothing.
        :raises MailServerError: when the server refuses us or cannot be reached; the messages wait for the next try.
        :raises MessagesDeferredError: when the server deferred messages; the next try sends them.
        """
        stop_if_refused(context)
        if ThisRun.of(context, self.jobs[0]).request.dry_run:
            raise AirflowSkipException("A dry run sends nothing.")
        settings = get_settings()
        with Database(settings.database_conn_id) as database:
            with database.transaction(read_only=True) as cursor:
                if not any(mode.live_since for mode in job_modes(cursor, self.jobs)):
                    raise AirflowSkipException("A rehearsal sends nothing.")
            delivery = Delivery(database, MailServer(settings.smtp_conn_id), settings)
            try:
                delivery.run()
            finally:
                raise_alarm(database)
        return dict(delivery.outcomes)
