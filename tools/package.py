"""``python -m tools.package``: what Amazon MWAA, Cloud Composer 3 and Astro want to be given, in ``dist/``.

The same files give the same bytes, so that a platform is told of a change only when there is one.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = ("dags", "plugins", "include", "requirements.txt")
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
UNIX, READABLE_FILE = 3, 0o100644 << 16

Files = Mapping[str, bytes]
"""Contents by path."""


class PackageError(RuntimeError):
    """The packages cannot be made; the message says why."""


def build(target: Path) -> list[Path]:
    """Write one folder a platform into ``target``, in place of what is there of an earlier time; return the folders.

    :raises PackageError: if git cannot tell which files belong to the project.
    """
    sources = _sources()
    folders = []
    for platform, layout in LAYOUTS.items():
        folder = target / platform
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in layout(sources).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        folders.append(folder)
    return folders


def composer(sources: Files) -> dict[str, bytes]:
    """Return the content of the bucket of Cloud Composer 3, which has no place beside ``dags/`` and ``plugins/``."""
    placed = {f"plugins/{path}" if path.startswith("include/") else path: content for path, content in sources.items()}
    return placed | {"requirements.txt": _requirements(sources)}


def mwaa(sources: Files) -> dict[str, bytes]:
    """Return the content of the bucket of Amazon MWAA: Composer's, but MWAA unpacks ``plugins/`` from an archive."""
    placed = composer(sources)
    inside = [path for path in placed if path.startswith("plugins/")]
    plugins = {path.removeprefix("plugins/"): placed.pop(path) for path in inside}
    return placed | {"plugins.zip": _zipped(plugins)}


def astro(sources: Files) -> dict[str, bytes]:
    """Return what goes into the project that ``astro dev init`` makes."""
    return dict(sources) | {"requirements.txt": _requirements(sources)}


LAYOUTS: Mapping[str, Callable[[Files], dict[str, bytes]]] = {"mwaa": mwaa, "composer": composer, "astro": astro}


def _sources() -> dict[str, bytes]:
    """Read the files that git tracks, or would track: nothing that a tool or an editor left behind."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout
    except FileNotFoundError:
        message = "git is needed, to tell the project's files from what tools left beside them"
        raise PackageError(message) from None
    except subprocess.CalledProcessError as error:
        message = f"git cannot list the project's files: {error.stderr.decode().strip()}"
        raise PackageError(message) from None
    paths = sorted({name.decode() for name in listed.split(b"\0") if name})
    # A file that was deleted and not yet committed is still listed.
    return {path: (CHECKOUT / path).read_bytes() for path in paths if (CHECKOUT / path).is_file()}


def _requirements(sources: Files) -> bytes:
    """Return ``requirements.txt`` as platforms can read it.

    Without Airflow itself, which each platform brings and fixes; without comments, which Composer's command may take
    for packages and in which MWAA looks for options.
    """
    lines = (line.strip() for line in sources["requirements.txt"].decode().splitlines())
    wanted = [line for line in lines if line and not line.startswith(("#", "apache-airflow>="))]
    return "".join(f"{line}\n" for line in wanted).encode()


def _zipped(files: Files) -> bytes:
    archive = BytesIO()
    # Not compressed: what a compressor writes differs from version to version.
    with ZipFile(archive, "w", ZIP_STORED) as zipped:
        for path, content in sorted(files.items()):
            entry = ZipInfo(path, ZIP_EPOCH)
            entry.create_system, entry.external_attr = UNIX, READABLE_FILE
            zipped.writestr(entry, content)
    return archive.getvalue()


def version() -> str:
    """Return the version of the package, as it stands in the one place that has it."""
    # Read, not imported: this runs on a Python of which nothing is known.
    found = re.search(r'^__version__ = "(.+)"$', (CHECKOUT / "plugins/hoa_ops/__init__.py").read_text(), re.MULTILINE)
    if found is None:
        message = "plugins/hoa_ops/__init__.py has no __version__"
        raise PackageError(message)
    return found[1]


def main() -> int:
    """Build the packages in ``dist/``; return the exit status."""
    try:
        print(f"HOA Ops {version()}")
        folders = build(CHECKOUT / "dist")
    except PackageError as error:
        print(f"package failed: {error}", file=sys.stderr)
        return 1
    for folder in folders:
        print(f"  {folder.relative_to(CHECKOUT)}/  (docs/deploy-{folder.name}.md)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
