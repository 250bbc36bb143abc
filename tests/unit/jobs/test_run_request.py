"""What a run may be asked to do, and for which day it stands."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from hoa_ops.errors import RequestError
from hoa_ops.jobs import ESCALATE_VIOLATIONS
from hoa_ops.jobs.billing import BillingRequest
from hoa_ops.jobs.check_budget_variances import BudgetVarianceRequest
from hoa_ops.jobs.escalate_violations import EscalationRequest
from hoa_ops.jobs.run_request import RunDate, RunRequest
from hoa_ops.operators.dag_params import dag_params
from hoa_ops.operators.this_run import ThisRun

REQUESTS = [EscalationRequest, BudgetVarianceRequest, BillingRequest]
EVERY = [(request, *case) for request in REQUESTS for case in (
    ("dry_run", "perhaps", "write true or false"),
    ("dry_run", None, "write true or false"),
    ("as_of", "29.10.2025", "write the date as YYYY-MM-DD, such as 2025-10-29"),
    ("as_of", "2025-02-30", "write the date as YYYY-MM-DD"),
    ("as_of", "", "write the date as YYYY-MM-DD"),
    ("as_of", "2025-10-29T12:00:00", "write the date as YYYY-MM-DD"),
    ("tenant", "", "write a text of 1 to 100 characters"),
    ("tenant", "x" * 101, "write a text of 1 to 100 characters"),
    ("tenant", 7, "write a text of 1 to 100 characters"),
)]  # fmt: skip
BAD = [
    *EVERY,
    (EscalationRequest, "days_grace", -1, "write a whole number from 0 to 365"),
    (EscalationRequest, "days_grace", 366, "write a whole number from 0 to 365"),
    (EscalationRequest, "days_grace", 1.5, "write a whole number from 0 to 365"),
    (EscalationRequest, "days_grace", "a week", "write a whole number from 0 to 365"),
    (EscalationRequest, "days_grace", None, "write a whole number from 0 to 365"),
    (BudgetVarianceRequest, "budget_id", "abc123", "write an id such as 019"),
    (BudgetVarianceRequest, "warning_threshold", -1, "write a number from 0 to 1000"),
    (BudgetVarianceRequest, "warning_threshold", 1001, "write a number from 0 to 1000"),
    (BudgetVarianceRequest, "warning_threshold", float("nan"), "write a number from 0 to 1000"),
    (BudgetVarianceRequest, "warning_threshold", "20%", "write a number from 0 to 1000"),
    (BudgetVarianceRequest, "critical_threshold", -1, "write a number from 0 to 1000"),
    (BudgetVarianceRequest, "critical_threshold", float("inf"), "write a number from 0 to 1000"),
    (
        BudgetVarianceRequest,
        "critical_threshold",
        19,
        "is below warning_threshold (20): raise one or lower the other",
    ),
    (BudgetVarianceRequest, "list_favorable", "perhaps", "write true or false"),
    (BillingRequest, "job", "escalate_violations", "write one of generate_invoices, assess_late_fees, send_reminders"),
    (BillingRequest, "billing_month", "2025-13", "write the month as YYYY-MM, such as 2025-11"),
    (BillingRequest, "billing_month", "2025-11-01", "write the month as YYYY-MM"),
    (BillingRequest, "days_grace", 366, "write a whole number from 0 to 365"),
]


def title(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)[:20]


@pytest.mark.parametrize(("request_model", "name", "value", "fault"), BAD, ids=title)
def test_bad_param_is_refused_with_a_sentence_that_names_it(
    request_model: type[RunRequest], name: str, value: object, fault: str
) -> None:
    with pytest.raises(RequestError) as raised:
        request_model.read({name: value})
    message = str(raised.value)
    assert name in message
    assert fault in message
    assert repr(value) in message or "below" in message, "the sentence says what was given"
    assert "\n" not in message


def test_every_param_of_every_dag_has_a_bad_value_above() -> None:
    for request_model in REQUESTS:
        tried = {name for model, name, _, _ in BAD if model is request_model}
        assert tried == set(request_model.model_fields)


@pytest.mark.parametrize("request_model", REQUESTS)
@pytest.mark.parametrize("name", ["dryrun", "dry-run", "asof", "Tenant"])
def test_misspelled_param_is_refused_and_not_ignored(request_model: type[RunRequest], name: str) -> None:
    with pytest.raises(RequestError, match=f"there is no param {name}: correct the name or remove it"):
        request_model.read({name: True})


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(RequestError, match=r"as_of: .*; days_grace: .*; there is no param dryrun"):
        EscalationRequest.read({"as_of": "tomorrow", "days_grace": -1, "dryrun": True})


# The trigger form. ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_model", REQUESTS)
def test_form_and_check_have_the_same_params_and_defaults(request_model: type[RunRequest]) -> None:
    params = dag_params(request_model)
    assert list(params) == list(request_model.model_fields)
    defaults = {name: param.resolve() for name, param in params.items()}
    assert request_model.read(defaults) == request_model()
    for name, param in params.items():
        field = request_model.model_fields[name]
        assert param.schema["title"] == field.title
        assert param.description.startswith(field.description)


@pytest.mark.parametrize("request_model", REQUESTS)
def test_common_params_come_first_and_the_dry_run_before_all(request_model: type[RunRequest]) -> None:
    assert list(dag_params(request_model))[:3] == ["dry_run", "tenant", "as_of"]


@pytest.mark.parametrize(
    ("request_model", "name", "bounds"),
    [
        (EscalationRequest, "days_grace", "0 to 365"),
        (BillingRequest, "days_grace", "0 to 365"),
        (BudgetVarianceRequest, "warning_threshold", "0 to 1000"),
        (BudgetVarianceRequest, "critical_threshold", "0 to 1000"),
    ],
)
def test_form_describes_the_bounds_it_does_not_enforce(request_model: type[RunRequest], name: str, bounds: str) -> None:
    param = dag_params(request_model)[name]
    assert param.description.endswith(f" Allowed: {bounds}.")
    assert not {"minimum", "maximum"} & param.schema.keys(), "the form would change the value instead of refusing it"


@pytest.mark.parametrize("request_model", REQUESTS)
def test_form_takes_a_date_as_written(request_model: type[RunRequest]) -> None:
    schema = dag_params(request_model)["as_of"].schema
    assert "format" not in schema, "the form's calendar would take a day that does not exist for none"


KNOWN_TO_THE_FORM = [case[:3] for case in BAD if "below" not in case[3] and str(case[2]) not in {"nan", "inf"}]
"""What a form can refuse by itself: one param at a time, and what JSON can say."""


@pytest.mark.parametrize(("request_model", "name", "value"), KNOWN_TO_THE_FORM, ids=title)
def test_form_refuses_what_the_check_refuses(request_model: type[RunRequest], name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag_params(request_model)[name].resolve(value)


@pytest.mark.parametrize(
    ("request_model", "given"),
    [
        (EscalationRequest, {"dry_run": True, "as_of": "2025-10-29", "tenant": "maple-court", "days_grace": 365}),
        (BudgetVarianceRequest, {"budget_id": "00000000-0000-7000-8000-0000000000b1", "warning_threshold": 0}),
        (BudgetVarianceRequest, {"warning_threshold": 30, "critical_threshold": 30, "list_favorable": True}),
        (BillingRequest, {"job": "generate_invoices", "billing_month": "2025-11"}),
        (BillingRequest, {"job": "assess_late_fees", "days_grace": 0}),
    ],
)
def test_form_and_check_accept_the_same_values(request_model: type[RunRequest], given: dict[str, Any]) -> None:
    params = dag_params(request_model)
    for name, value in given.items():
        assert params[name].resolve(value) == value
    read = request_model.read({name: param.resolve() for name, param in params.items()} | given)
    assert read.model_dump(mode="json", include=set(given)) == given


# The day. -------------------------------------------------------------------------------------------------------


def day(logical_date: datetime, **params: Any) -> date:
    return RunDate.of(EscalationRequest.read(params), logical_date, job=ESCALATE_VIOLATIONS).as_of


def test_run_at_three_in_utc_still_stands_for_yesterday_in_new_york() -> None:
    assert day(datetime(2025, 10, 30, 3, 0, tzinfo=UTC)) == date(2025, 10, 29)
    assert day(datetime(2025, 10, 30, 4, 0, tzinfo=UTC)) == date(2025, 10, 30)  # summer time: UTC-4
    assert day(datetime(2025, 11, 30, 4, 59, tzinfo=UTC)) == date(2025, 11, 29)  # winter time: UTC-5


def test_manual_run_without_a_logical_date_uses_its_run_after() -> None:
    moment = datetime(2025, 10, 30, 3, 0, tzinfo=UTC)
    dag_run = SimpleNamespace(run_id="manual__1", run_type="manual", logical_date=None, run_after=moment)
    context: Any = {"params": {}, "dag_run": dag_run}
    run_date = ThisRun.of(context, ESCALATE_VIOLATIONS).run_date
    assert run_date.as_of == date(2025, 10, 29)
    assert run_date.moment == moment


def test_as_of_gives_the_scheduled_time_of_that_day() -> None:
    request = EscalationRequest.read({"as_of": "2025-10-01"})
    run_date = RunDate.of(request, datetime(2025, 10, 30, 3, 0, tzinfo=UTC), job=ESCALATE_VIOLATIONS)
    assert f"{run_date.moment:%Y-%m-%d %H:%M}" == "2025-10-01 06:00"
    assert run_date.as_of == date(2025, 10, 1)


def test_date_after_the_run_date_requires_a_dry_run() -> None:
    late_evening = datetime(2025, 10, 30, 3, 0, tzinfo=UTC)
    with pytest.raises(RequestError, match=r"as_of 2025-10-30 is after the run date 2025-10-29: choose an earlier"):
        day(late_evening, as_of="2025-10-30")
    assert day(late_evening, as_of="2025-10-30", dry_run=True) == date(2025, 10, 30)
    assert day(late_evening, as_of="2025-10-29") == date(2025, 10, 29)
    assert day(late_evening, as_of="2024-02-29") == date(2024, 2, 29)


def test_ledger_records_what_differs_from_the_defaults() -> None:
    request = BudgetVarianceRequest.read({"tenant": "maple-court", "warning_threshold": 15, "dry_run": True})
    assert request.options == {"tenant": "maple-court", "warning_threshold": 15.0}
    assert EscalationRequest().options == {}


def test_narrowed_run_is_marked_as_narrowed() -> None:
    assert not EscalationRequest.read({"days_grace": 3}).narrowed
    assert EscalationRequest.read({"tenant": "maple-court"}).narrowed
    assert BudgetVarianceRequest.read({"budget_id": "00000000-0000-7000-8000-0000000000b1"}).narrowed
