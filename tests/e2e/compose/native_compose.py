"""Runs the services of docker-compose.yaml as processes on this machine, where there is no container engine.

What the file says is what is executed: each service's command, with the environment of the file, in the folders that
the Dockerfile fills, and each health check as it stands. Only what a container would provide is translated: names and
ports of services, the path /opt/airflow, and a host name per container.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import yaml
from airflow.utils.net import get_hostname

from devstack.airflow import CHECKOUT, surroundings
from devstack.mail_sink import MailSink
from devstack.ports import LOOPBACK, free_port
from devstack.postgres import EmbeddedPostgres
from devstack.sessions import Sessions
from devstack.waiting import wait_until

Service = dict[str, Any]
HOME = "/opt/airflow"
AIRFLOW_SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:?[-?+])([^}]*))?\})")


def read_env_file(file: Path) -> dict[str, str]:
    """Return the variables of a .env file; single quotes around a value are not part of it."""
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in variables as the Compose Specification says.

    :raises ValueError: naming a required variable that is missing.
    """

    def fill(found: re.Match[str]) -> str:
        name, operator, word = found.groups()
        if name is None:
            return "$"
        value = variables.get(name, "")
        if operator == ":?" and not value:
            raise ValueError(f"required variable {name} is missing a value: {word}")
        if operator == ":+":
            return word if value else ""
        return value or (word if operator == ":-" else "")

    return VARIABLE.sub(fill, text)


def services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Return the services of docker-compose.yaml with all variables filled in."""

    def filled(node: Any) -> Any:
        match node:
            case str():
                return interpolate(node, variables)
            case dict():
                return {key: filled(value) for key, value in node.items()}
            case list():
                return [filled(value) for value in node]
        return node

    found: dict[str, Service] = filled(yaml.safe_load((CHECKOUT / "docker-compose.yaml").read_text()))["services"]
    return found


class NativeCompose:
    """The services of the file, started in the order that they wait for each other.

    :param folder: holds everything that containers and volumes would.
    :param variables: of the .env file.
    :param airflow_env: the lines of airflow.env.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str], airflow_env: Mapping[str, str]) -> None:
        self.folder = folder.resolve()
        self.services = services(variables)
        self.mail = MailSink(self.folder / "mail")
        # The days of the demo are fixed, and longer ago every day.
        self._airflow_env = {"AIRFLOW__HOA_OPS__LIVE_RUN_DAYS": "36500"} | dict(airflow_env)
        self._image = self.folder / HOME.strip("/")
        self._dockerfile = (CHECKOUT / "Dockerfile").read_text()
        self._sessions = Sessions(self.folder)
        self._postgres = EmbeddedPostgres(
            self.folder / "postgres",
            durable=False,
            password=self.services["postgres"]["environment"]["POSTGRES_PASSWORD"],
        )
        redis_port, api_port, health_port = free_port(), free_port(), free_port()
        self.url = f"http://{LOOPBACK}:{api_port}"
        self._translations = {
            HOME: str(self._image),
            "postgres:5432": f"{LOOPBACK}:{self._postgres.port}",
            "redis:6379": f"{LOOPBACK}:{redis_port}",
            "redis-server -": f"redis-server - --port {redis_port} --bind {LOOPBACK}",
            "redis-cli": f"redis-cli -p {redis_port}",
            "api-server:8080": f"{LOOPBACK}:{api_port}",
            "localhost:8080": f"{LOOPBACK}:{api_port}",
            "localhost:8974": f"{LOOPBACK}:{health_port}",
            '"host": "mail", "port": 1025': f'"host": "{LOOPBACK}", "port": {self.mail.port}',
        }
        # In containers nothing else listens on the ports of Airflow's own choice.
        self._own_ports = {
            "AIRFLOW__API__PORT": api_port,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": health_port,
        }

    def __enter__(self) -> Self:
        try:
            self._fill_image()
            self._start_postgres()
            self._start_redis()
            self.mail.start()
            self.run("migrate")
            for container in self.containers:
                self._start(container)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def workers(self) -> list[str]:
        """The containers of the workers."""
        return [f"worker-{number + 1}" for number in range(int(self.services["worker"]["deploy"]["replicas"]))]

    @property
    def containers(self) -> list[str]:
        """What runs of Airflow, by service or, for the workers, by service and number."""
        return [*AIRFLOW_SERVICES, *self.workers]

    def dead(self) -> list[str]:
        """Containers that have ended by themselves."""
        return self._sessions.dead()

    def survivors(self) -> list[psutil.Process]:
        """Processes that still run here."""
        return [*self._sessions.alive(), *self._postgres.processes()]

    def is_healthy(self, container: str) -> bool:
        """Run the health check of a container."""
        kind, *words = self._service(container)["healthcheck"]["test"]
        command = ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        return self._run(container, command).returncode == 0

    def run(self, service: str, *command: str, stdin: str = "") -> str:
        """Run a service to its end, with another command if one is given, and return what it printed."""
        finished = self._run(service, list(command) or self._command(service), stdin=stdin)
        if finished.returncode != 0:
            raise RuntimeError(f"{service} ended with {finished.returncode}:\n{finished.stdout}{finished.stderr}")
        return finished.stdout

    def _service(self, container: str) -> Service:
        return self.services[re.sub(r"-\d+$", "", container)]

    def _command(self, container: str) -> list[str]:
        words = list(self._service(container)["command"])
        if words[0] not in {"bash", "sh"}:
            # As the entrypoint of Airflow's image does.
            words.insert(0, "airflow")
        if container in self.workers:
            # In a container the name comes from the host's.
            words += ["--celery-hostname", f"celery@{container}"]
        return words

    def _environment(self, container: str) -> dict[str, str]:
        service = self._service(container)
        given = surroundings() | self._image_environment()
        given |= (self._airflow_env if "env_file" in service else {}) | service.get("environment", {})
        given |= {name: str(port) for name, port in self._own_ports.items()}
        given |= {f"AIRFLOW__LOGGING__{kind}_LOG_SERVER_PORT": str(free_port()) for kind in ("WORKER", "TRIGGER")}
        given["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), str(self._postgres.programs), given["PATH"]])
        given["HOSTNAME"] = container if container in self.workers else get_hostname()
        return {name: self.translate(value) for name, value in given.items()}

    def _image_environment(self) -> dict[str, str]:
        """What Airflow's image and the Dockerfile set."""
        return {"AIRFLOW_HOME": HOME, **dict(re.findall(r"^ENV (\w+)=(.*)$", self._dockerfile, re.MULTILINE))}

    def translate(self, text: str) -> str:
        """Return what a text of the file means outside of containers."""
        for said, meant in self._translations.items():
            text = text.replace(said, meant)
        return text

    def _run(self, container: str, command: list[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.translate(word) for word in command],
            env=self._environment(container),
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def _fill_image(self) -> None:
        """Put into the folder what the Dockerfile copies, and nothing else of the project."""
        for source, target in re.findall(r"^COPY (\S+) (\S+)$", self._dockerfile, re.MULTILINE):
            origin, place = CHECKOUT / source, self.folder / target.strip("/")
            if origin.is_dir():
                shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, place)

    def _start_postgres(self) -> None:
        service = self.services["postgres"]
        self._postgres.start()
        # In the container psql finds the server by itself, and is trusted.
        service["environment"] |= {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self._postgres.port),
            "PGPASSWORD": self._postgres.password,
        }
        [script] = [volume.split(":")[0] for volume in service["volumes"] if "initdb" in volume]
        self.run("postgres", "bash", str(CHECKOUT / script))

    def _start_redis(self) -> None:
        self._start("redis")
        wait_until(lambda: self.is_healthy("redis"), "Redis did not start", limit=30)

    def _start(self, container: str) -> None:
        self._sessions.start(
            container,
            [self.translate(word) for word in self._command(container)],
            env=self._environment(container),
            cwd=self._image,
            log=self.folder / f"{container}.log",
        )

    def _stop(self) -> None:
        self.mail.stop()
        try:
            self._sessions.stop()
        finally:
            self._postgres.stop()
