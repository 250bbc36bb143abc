"""A stand-in for a Slack webhook, or any other that takes JSON: it collects what is posted."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from devstack.ports import LOOPBACK


class SlackSink:
    """A webhook on a loopback port. ``posts`` holds the decoded JSON of each request, in order.

    Set ``status`` to have it refuse, e.g. 500. A refused post is not collected.
    """

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def connection(self) -> str:
        """The Airflow connection that posts here, as JSON."""
        host = f"http://{LOOPBACK}:{self._server.server_port}"
        return json.dumps({"conn_type": "slackwebhook", "host": host, "password": "services/T0/B0/test"})

    @property
    def apprise_connection(self) -> str:
        """The Airflow connection by which Apprise posts here, as JSON."""
        service = {"path": f"json://{LOOPBACK}:{self._server.server_port}/", "tag": "alerts"}
        return json.dumps({"conn_type": "apprise", "extra": {"config": service}})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                post = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if sink.status == 200:  # noqa: PLR2004
                    sink.posts.append(post)
                body = b"ok" if sink.status == 200 else b"refused"  # noqa: PLR2004
                self.send_response(sink.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Keep requests out of the test output."""

        return Handler
