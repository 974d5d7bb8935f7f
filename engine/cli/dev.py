"""``motcua dev lock | migration | docs | golden``: chores of whoever changes Motcua itself."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine.cli import group, leaf
from engine.settings import ROOT

ADDRESS = re.compile(r"^(--(index-url|extra-index-url|find-links|trusted-host)\b.*|#.*https?://.*)\n", re.MULTILINE)
LARGEST_PICTURE = 200 * 1024  # bytes


def add(commands: Any) -> None:
    """Add the commands."""
    dev = group(commands, "dev", "chores of whoever changes Motcua itself")
    leaf(dev, "lock", lock, "rewrite the lock files of Python and the web from their inputs, without addresses")
    written = leaf(dev, "migration", migration, "write the revision that leads from the last schema to the records as they are")
    written.add_argument("message", help="what the revision does")
    written.add_argument("--first", action="store_true", help="rewrite the first revision; only while nothing is released")
    leaf(dev, "golden", golden, "keep the states of the delivered packages as they are now, for every later interpreter to read")
    leaf(dev, "docs", docs, "copy the reports and pictures the tests wrote into docs/")


def lock(chosen: argparse.Namespace) -> int:
    """Resolve anew; the locks name versions and hashes, never where packages come from."""
    uv = Path(sys.executable).with_name("uv")
    for name in ("requirements", "requirements-test"):
        target = ROOT / f"{name}.lock"
        subprocess.run(
            [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate",
             "--upgrade", "-p", "3.11",
             f"{name}.in", "-o", target.name],
            cwd=ROOT, check=True,
        )  # fmt: skip
        target.write_text(ADDRESS.sub("", target.read_text()))
    npm = shutil.which("npm", path=str(Path(sys.executable).parent)) or "npm"
    for folder in ("webapp/assets", "tests/interop"):
        packages = ROOT / folder / "package-lock.json"
        if packages.exists():
            subprocess.run([npm, "install", "--package-lock-only", "--no-audit", "--no-fund"], cwd=packages.parent, check=True)
            packages.write_text(json.dumps(without_addresses(json.loads(packages.read_text())), indent=2, ensure_ascii=False) + "\n")
    print("Locks rewritten: look at the difference before you keep it.")
    return 0


def golden(chosen: argparse.Namespace) -> int:
    """Write a golden file for every delivered version that has none yet; what was kept before stays."""
    from engine.deadline.calendar_file import Calendars
    from engine.deadline.functions import working_time
    from engine.procedure.loader import load_folder
    from engine.process.golden import record

    calendar = Calendars(ROOT / "bpmn" / "_calendars").of()
    for folder in sorted((ROOT / "bpmn").glob("[!_]*/procedure.toml")):
        package = load_folder(folder.parent)
        place = ROOT / "tests" / "golden" / "states" / f"{package.key}-{package.content_hash[:12]}.zip"
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(record(package, lambda now: working_time(calendar, now)))
        print(f"{place.relative_to(ROOT)}: {place.stat().st_size} bytes")
    return 0


def without_addresses(lock: Any) -> Any:
    """Return npm's lock without ``resolved`` and ``funding``: the hashes stay, the addresses go."""
    if isinstance(lock, dict):
        return {key: without_addresses(value) for key, value in lock.items() if key not in {"resolved", "funding"}}
    return [without_addresses(item) for item in lock] if isinstance(lock, list) else lock


def migration(chosen: argparse.Namespace) -> int:
    """Bring a database of a throw-away server to the last revision, compare it with the records, write the difference down."""
    from alembic import command

    from engine.kernel.database import open_engine
    from engine.kernel.postgres import owner_url
    from engine.migrations import FOLDER, configuration, head, make_schema
    from engine.settings import Settings

    versions = FOLDER / "versions"
    versions.mkdir(exist_ok=True)
    if chosen.first:
        for path in versions.glob("*.py"):
            path.unlink()
    number = f"{int(head() or 0) + 1:04d}"
    with tempfile.TemporaryDirectory() as home, owner_url(Settings(home=Path(home))) as url:
        engine = open_engine(url, limits={})
        with engine.begin() as connection:
            if not chosen.first:
                make_schema(connection)
            command.revision(configuration(connection, compare=True), message=chosen.message, autogenerate=True, rev_id=number)
        engine.dispose()
    for path in versions.glob(f"{number}*.py"):
        path.write_text(re.sub(r"^ *# ###.*\n", "", path.read_text(), flags=re.MULTILINE))
    if chosen.first:
        write_guards(versions / "0002_guards.py")
    subprocess.run([Path(sys.executable).with_name("ruff"), "format", "--quiet", versions], check=True)
    return 0


def write_guards(target: Path) -> None:
    """Write the second revision: what stands beside the tables, as it is now."""
    from engine.kernel.schema import guards

    function, *rest = guards()
    lines = "".join(f"    {json.dumps(statement)},\n" for statement in rest)
    target.write_text(
        '"""Guards of the journal, the job queue, autovacuum of busy tables"""\n\nfrom __future__ import annotations\n\n'
        "from alembic import op\n\nfrom engine.kernel.schema import install_jobs\n\n"
        'revision = "0002"\ndown_revision = "0001"\n\n'
        f'REFUSE_CHANGE = """\n{function.replace("%", "%%")}\n"""\n\nGUARDS = (\n{lines})\n\n\n'
        "def upgrade() -> None:\n    install_jobs(op.get_bind())\n    op.get_bind().exec_driver_sql(REFUSE_CHANGE)\n"
        "    for statement in GUARDS:\n        op.get_bind().exec_driver_sql(statement)\n"
    )


def docs(chosen: argparse.Namespace) -> int:
    """Copy what the tests wrote for the documentation, and the pictures it shows, over ``docs``; one that is too large stops it.

    A journey writes more pictures than the documentation needs (``var/reports/pictures``): those it shows are known by their names.
    """
    reports, target = ROOT / "var" / "reports", ROOT / "docs"
    found = {target / path.relative_to(reports / "docs"): path for path in (reports / "docs").rglob("*") if path.is_file()}
    found |= {shown: path for path in (reports / "pictures").glob("*.png") if (shown := target / "pictures" / path.name).exists()}
    for path in sorted(found.values()):
        if path.suffix in {".png", ".webp", ".jpg"} and path.stat().st_size > LARGEST_PICTURE:
            print(f"{path.relative_to(reports)} is larger than {LARGEST_PICTURE // 1024} KB", file=sys.stderr)
            return 1
    for place, path in found.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    print(f"{len(found)} files copied into docs/")
    return 0
