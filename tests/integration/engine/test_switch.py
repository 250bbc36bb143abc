"""The emergency switch is understood in every spelling, or stops the run."""

from datetime import date

import pytest
from airflow.sdk.exceptions import AirflowFailException

ON = date(2025, 11, 6)


@pytest.mark.parametrize(
    "value",
    [
        "assess_late_fees",
        "ASSESS_LATE_FEES",
        " assess_late_fees , send_reminders",
        "assess_late_fees;send_reminders",
        "assess_late_fees\nsend_reminders",
        '["assess_late_fees"]',
        '["send_reminders", "Assess_Late_Fees"]',
    ],
)
def test_job_is_switched_off_in_any_spelling(monkeypatch, database, jobs, maple, value):
    monkeypatch.setenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF", value)
    jobs.run("hoa_monthly_billing", "check_params", on=ON, job="assess_late_fees")
    assert "SWITCHED OFF" in jobs.billing("assess_late_fees", on=ON).text
    assert database.value("SELECT status FROM runs") == "switched_off"


@pytest.mark.parametrize(
    "value", ["assess_late_fee", "hoa_monthly_billing", "all", '["late fees"]', "{}", "assess_late_fees, everything"]
)
def test_switch_that_names_no_job_stops_the_run_with_the_list_of_jobs(monkeypatch, database, jobs, maple, value):
    monkeypatch.setenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF", value)
    for task_id in ("check_params", "assess_late_fees"):
        with pytest.raises(
            AirflowFailException, match=r"hoa_ops_switched_off names .*, which is not a job: the jobs are gen"
        ):
            jobs.run("hoa_monthly_billing", task_id, on=ON, job="assess_late_fees")
    assert database.value("SELECT count(*) FROM runs") == 0


@pytest.mark.parametrize("value", ["", " ", "[]", "null"])
def test_empty_switch_switches_nothing_off(monkeypatch, jobs, maple, value):
    monkeypatch.setenv("AIRFLOW_VAR_HOA_OPS_SWITCHED_OFF", value)
    assert "SWITCHED OFF" not in jobs.billing("assess_late_fees", on=ON).text
