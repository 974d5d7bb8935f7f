"""The signing agent as one file, for the computers of those whose key is on a USB token."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

import signing

NAME = "motcua-agent.pyz"
NEEDS = ("python-pkcs11", "cryptography")
_START = b"import sys\nfrom signing.agent.__main__ import main\nsys.exit(main())\n"
_SINCE = (2026, 1, 1, 0, 0, 0)


@cache
def program() -> bytes:
    """Return the agent as a Python archive: the same bytes from every web process of one version."""
    home = Path(signing.__file__).parent
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _SINCE), _START)
        for path in sorted([*home.glob("*.py"), *home.glob("agent/*.py")]):
            entry = zipfile.ZipInfo(f"signing/{path.relative_to(home).as_posix()}", _SINCE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return out.getvalue()
