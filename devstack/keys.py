"""Keys and passwords of a stack: made up once, kept in a file that only its owner can read."""

import base64
import json
import secrets
from pathlib import Path


class Keys:
    """Named secrets in ``file``; a name asked for the first time gets a new value."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __getitem__(self, name: str) -> str:
        """Return the secret of this name: 32 random bytes, safe in a URL, and a valid Fernet key."""
        # Read every time: there may be several of us for one file.
        values: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        if name not in values:
            values[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._file.write_text(json.dumps(values, indent=2))
        return values[name]
