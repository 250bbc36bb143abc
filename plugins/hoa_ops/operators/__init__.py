"""The operators of the three DAGs: one to check what was asked, one per job, one to deliver, one to report."""
