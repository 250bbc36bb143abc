"""Alerts for the people who run the jobs: a task that failed for good, and a run that is late."""
