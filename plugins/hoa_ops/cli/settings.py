"""The reference pages that are written from the code, so that they cannot say anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hoa_ops.settings import SECTION, Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def settings_page() -> str:
    """Return ``docs/settings.md``: every setting with its default and meaning."""
    rows = [
        f"| `{name}` | {_default(name, field)} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            f"Airflow configuration of the section `[{SECTION}]`: set `AIRFLOW__{SECTION.upper()}__<NAME>` in the",
            "environment, or the option of that section where a managed Airflow asks for configuration options",
            "([MWAA](deploy-mwaa.md), [Composer](deploy-composer.md), [Astro](deploy-astro.md)). Read once per process",
            "and checked when the first DAG file is parsed: a wrong value is an import error that names it.",
            "",
            "This page is made by `python -m hoa_ops settings`.",
            "",
            "| name | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _default(name: str, field: FieldInfo) -> str:
    if name == "include_dir":
        return "`include/`"
    default = field.default
    return f"`{str(default).lower() if isinstance(default, bool) else default}`" if default not in {"", ()} else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
