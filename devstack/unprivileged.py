"""PostgreSQL refuses to run as root. So when we are root, its programs run as somebody else."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ORDINARY_USER = "nobody"


class RootNotPossibleError(RuntimeError):
    """This system gives root no way to run a program as somebody else."""


def command_prefix(*belongings: Path) -> list[str]:
    """Return what to put before a command so that it does not run as root (nothing for ordinary users).

    ``belongings`` (existing files and folders) are handed over to the user that they will be opened by.
    """
    if os.geteuid() != 0:
        return []
    somebody = pwd.getpwnam(ORDINARY_USER)
    # A user namespace: the program sees itself as somebody, but opens files as the root outside.
    namespace = ["unshare", f"--map-user={somebody.pw_uid}", f"--map-group={somebody.pw_gid}", "--"]
    if _works(*namespace):
        _give(belongings, os.geteuid(), os.getegid())
        return namespace
    # Containers often forbid that. There the program becomes somebody who may still enter root's folders.
    identity = [f"--reuid={somebody.pw_uid}", f"--regid={somebody.pw_gid}", "--clear-groups"]
    become = ["setpriv", *identity, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--"]
    if _works(*become):
        _give(belongings, somebody.pw_uid, somebody.pw_gid)
        return become
    message = (
        "PostgreSQL refuses to run as root, and neither `unshare` nor `setpriv` (from util-linux) can run it"
        f" as {ORDINARY_USER!r} here. Run this as an ordinary user."
    )
    raise RootNotPossibleError(message)


@cache
def _works(*prefix: str) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0


def _give(belongings: Iterable[Path], uid: int, gid: int) -> None:
    for belonging in belongings:
        for path in (belonging, *belonging.rglob("*")):
            if path.lstat().st_uid != uid:
                os.chown(path, uid, gid, follow_symlinks=False)
