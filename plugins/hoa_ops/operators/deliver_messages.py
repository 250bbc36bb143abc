"""The task that delivers what is in the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from hoa_ops.database import Database
from hoa_ops.delivery.mail_server import MailServer
from hoa_ops.delivery.outbox import Delivery
from hoa_ops.monitoring.alerts.stuck_mail import raise_alarm
from hoa_ops.operators.check_params import read_request
from hoa_ops.settings import get_settings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from hoa_ops.jobs.run_request import RunRequest


class DeliverMessagesOperator(BaseOperator):
    """Deliver the e-mails that are due in the outbox, whichever run put them there.

    :param request_model: the params of the DAG.
    :param conn_id: Airflow Connection to the associations' database.
    :param smtp_conn_id: Airflow Connection to the mail server.
    """

    def __init__(
        self,
        *,
        request_model: type[RunRequest],
        conn_id: str | None = None,
        smtp_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.request_model = request_model
        self.conn_id = conn_id
        self.smtp_conn_id = smtp_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Send what is due and return how many messages ended in which state.

        However that went, Slack is told of messages that stand still.

        :raises AirflowSkipException: for a dry run, which sends nothing.
        :raises MailServerError: when the server refuses us or cannot be reached; the messages wait for the next try.
        :raises MessagesWaitingError: when the server put messages off; the next try sends them.
        """
        request, _ = read_request(self.request_model, context)
        if request.dry_run:
            raise AirflowSkipException("A dry run sends nothing.")
        settings = get_settings()
        with Database(self.conn_id or settings.database_conn_id) as database:
            delivery = Delivery(database, MailServer(self.smtp_conn_id or settings.smtp_conn_id), settings)
            try:
                delivery.run()
            finally:
                raise_alarm(database, settings)
        return dict(delivery.outcomes)
