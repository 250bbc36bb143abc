"""``make up``: a stack to try things on, left running, with a file for the shell and a word on what to do first."""

import shlex
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from devstack.airflow import ADMIN, CHECKOUT
from devstack.stack import TIMEZONE, Stack

FOLDER = CHECKOUT / ".local" / "up"
WELCOME = """\
Airflow    {url}   user {user}   password {password}
E-mails    {mail}
Logs       {logs}
Database   {database}

What to do first
  1. Open {url}/dags/hoa_violation_escalation and log in.
  2. Press "Trigger" at the top right, switch on "Dry run", leave the rest as it is, and press "Trigger" at the bottom.
  3. Click the green square beside escalate_violations to read its log: three overdue violations of Sunset Ridge HOA,
     two of Harbor Point Condominium, and what would be done about each. Nothing was posted or sent.
  4. Press "Trigger" again, without "Dry run" this time. The task report tells what was posted, and the e-mails to the
     owners are files in {mail}

The other DAGs are "Monthly billing" and "Budget variances". A DAG that you have triggered is no longer paused, so it
also runs on its schedule from now on. The run beside yours is its latest scheduled moment, from before this start and
therefore only rehearsed.

From a shell
  source {script}
  airflow dags list
  python -m hoa_ops health

`make down` stops everything and keeps the data; `make clean` deletes them.
"""


def up() -> None:
    """Start the stack and leave it running; if it runs already, only tell about it."""
    stack = Stack(
        FOLDER,
        today=datetime.now(ZoneInfo(TIMEZONE)).date(),
        report=lambda line: print(f"  {line}", flush=True),
    )
    welcome = FOLDER / "welcome.txt"
    if stack.is_running and welcome.exists():
        print(f"It is running already; `make down` stops it.\n\n{welcome.read_text()}")
        return
    stack.start()
    script = FOLDER / "env.sh"
    write_env_script(stack, script)
    welcome.touch(mode=0o600)
    welcome.write_text(
        WELCOME.format(
            url=stack.airflow.url,
            user=ADMIN,
            password=stack.airflow.admin_password,
            mail=stack.mail_folder,
            logs=stack.airflow.logs,
            database=stack.associations.worker_dsn,
            script=shlex.quote(str(script)),
        )
    )
    print(f"\n{welcome.read_text()}")


def write_env_script(stack: Stack, file: Path) -> None:
    """Write what a shell sources to run ``airflow`` and ``python -m hoa_ops`` against a running stack."""
    variables = stack.airflow.variables | {
        "PYTHONPATH": str(CHECKOUT / "plugins"),
        "HOA_OPS_OWNER_DSN": stack.associations.owner_dsn,
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    programs = shlex.quote(str(Path(sys.executable).parent))
    file.touch(mode=0o600)
    file.write_text("\n".join([*exports, f'export PATH={programs}:"$PATH"', ""]))
