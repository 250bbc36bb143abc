"""Makes .env from .env.example, with a new secret wherever a secret is empty: ``python3 compose/new_env.py``."""

import base64
import os
import re
import secrets
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
EMPTY_SECRET = re.compile(r"^(\w+_(?:PASSWORD|KEY|SECRET))=$", re.MULTILINE)


def new_secret() -> str:
    """Return 32 random bytes in URL-safe base64: a Fernet key, and a password that may stand in a URL."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def main() -> int:
    """Write .env, unless there is one; return the exit status."""
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    target = PROJECT / ".env"
    try:
        # For its owner's eyes only, from the first moment.
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(f"{target} is there already, with secrets that the databases know. Nothing was changed.\n")
        return 1
    with os.fdopen(file, "w", encoding="utf-8") as env:
        env.write(EMPTY_SECRET.sub(lambda line: f"{line[1]}={new_secret()}", example))
    sys.stdout.write(f"{target} is made. Look through it, then: docker compose up --detach --wait\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
