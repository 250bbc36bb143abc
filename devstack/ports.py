"""Free and taken TCP ports on the loopback interface."""

import socket

LOOPBACK = "127.0.0.1"


def free_port(preferred: int = 0) -> int:
    """Return ``preferred`` if nothing listens on it, else any free port."""
    for port in (preferred, 0):
        with socket.socket() as listener:
            # Without this a port whose last connections are still closing counts as taken.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((LOOPBACK, port))
            except OSError:
                continue
            bound: int = listener.getsockname()[1]
            return bound
    message = "no free TCP port on the loopback interface"
    raise OSError(message)


def is_taken(port: int) -> bool:
    """Whether something accepts connections on ``port``."""
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0
