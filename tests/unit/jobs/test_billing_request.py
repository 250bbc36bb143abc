"""What the params of monthly billing mean, and which are refused."""

from datetime import date

import pytest

from hoa_ops.errors import RequestError
from hoa_ops.jobs import jobs_of
from hoa_ops.jobs.billing import BillingRequest
from hoa_ops.operators.dag_params import dag_params


@pytest.mark.parametrize(
    ("params", "job"),
    [
        ({}, None),
        ({"job": "send_reminders"}, "send_reminders"),
        ({"billing_month": "2025-11"}, "generate_invoices"),
        ({"billing_month": "2025-11", "job": "generate_invoices"}, "generate_invoices"),
        ({"days_grace": 0}, "assess_late_fees"),
        ({"days_grace": 365, "job": "assess_late_fees"}, "assess_late_fees"),
    ],
)
def test_param_of_one_job_asks_for_that_job(params, job):
    assert BillingRequest.read(params).only_job == job


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"billing_month": "2025-13"}, r"billing_month: write the month as YYYY-MM, such as 2025-11 \(got '2025-13'\)"),
        ({"billing_month": "2025-1"}, "billing_month: write the month"),
        ({"billing_month": "2025-11\n"}, "billing_month: write the month"),
        ({"billing_month": "November"}, "billing_month: write the month"),
        (
            {"job": "escalate_violations"},
            "job: write one of generate_invoices, assess_late_fees, send_reminders",
        ),
        ({"days_grace": -1}, "days_grace: write a whole number from 0 to 365"),
        ({"days_grace": 366}, "days_grace: write a whole number from 0 to 365"),
        (
            {"billing_month": "2025-11", "job": "send_reminders"},
            "billing_month is a param of generate_invoices, but the run is for send_reminders: remove one of the two",
        ),
        (
            {"billing_month": "2025-11", "days_grace": 3},
            "days_grace is a param of assess_late_fees, but the run is for generate_invoices",
        ),
    ],
)
def test_wrong_params_are_refused_with_a_sentence(params, sentence):
    with pytest.raises(RequestError, match=sentence):
        BillingRequest.read(params)


def test_run_for_one_month_does_not_count_for_all():
    assert BillingRequest.read({"billing_month": "2025-11"}).narrowed
    assert not BillingRequest.read({"job": "generate_invoices"}).narrowed


def test_future_month_requires_a_dry_run():
    ahead = {"billing_month": "2025-12"}
    with pytest.raises(RequestError, match="billing_month 2025-12 has not begun on 2025-11-30"):
        BillingRequest.read(ahead).check_date(date(2025, 11, 30))
    with pytest.raises(RequestError, match="has not begun on 2025-11-05"):
        BillingRequest.read(ahead | {"as_of": "2025-11-05"}).check_date(date(2025, 12, 20))
    BillingRequest.read(ahead | {"dry_run": True}).check_date(date(2025, 11, 30))
    BillingRequest.read(ahead).check_date(date(2025, 12, 1))


def test_trigger_form_names_every_choice_of_a_job_and_the_empty_one():
    schema = dag_params(BillingRequest)["job"].schema
    assert schema["enum"] == [*(job.name for job in jobs_of("hoa_monthly_billing")), None]
    # Airflow's form looks up the empty choice as "null".
    assert schema["values_display"] == {
        "generate_invoices": "Monthly invoices",
        "assess_late_fees": "Late fees",
        "send_reminders": "Payment reminders",
        "null": "Every job that is due",
    }
