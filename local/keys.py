"""Keys and passwords of a local installation: made up once, kept in a file that only its owner can read."""

import base64
import json
import secrets
from pathlib import Path


class Keys:
    """Named secrets in ``file``; a name asked for the first time gets a new value."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._values: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def __getitem__(self, name: str) -> str:
        """Return the secret of this name: 32 random bytes, safe in a URL, and a valid Fernet key."""
        if name not in self._values:
            self._values[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._file.write_text(json.dumps(self._values, indent=2))
        return self._values[name]
