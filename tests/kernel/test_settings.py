"""Settings: read once, every problem told at once; secrets made once and closed to others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.settings import Settings, SettingsError, kept_secret


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.from_environment(
            {
                "MOTCUA_PORT": "eighty",
                "MOTCUA_PROVINCE": "0",
                "MOTCUA_DEMO": "perhaps",
                "MOTCUA_DATABASE_URL": "mysql://x",
                "MOTCUA_TIMEZONE": "Asia/Atlantis",
                "MOTCUA_LOG_LEVEL": "loud",
            }
        )

    assert {problem.split()[0] for problem in wrong.value.problems} == {
        "MOTCUA_PORT", "MOTCUA_PROVINCE", "MOTCUA_DEMO", "MOTCUA_DATABASE_URL", "MOTCUA_TIMEZONE", "MOTCUA_LOG_LEVEL",
    }  # fmt: skip


def test_nothing_set_means_the_embedded_server_and_the_folder_var() -> None:
    settings = Settings.from_environment({})

    assert settings.database_url is None
    assert settings.home == Path.cwd() / "var"
    assert settings.address == "http://localhost:8000"
    assert settings.blobs == settings.home / "blobs"


def test_all_processes_get_the_same_secret_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secret.key"

    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: kept_secret(path), range(32)))

    assert len(secrets) == 1
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert sorted(file.name for file in path.parent.iterdir()) == ["secret.key"]
