"""What a deployment refuses to start with, and what Django's own check says of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD_SECRET = "0123456789abcdef" * 4


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with nothing in its environment but these variables."""
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "SECRET_KEY must be set"),
        ("changeme", "SECRET_KEY can be guessed"),
        ("x" * 64, "SECRET_KEY can be guessed"),
        ("django-insecure-" + GOOD_SECRET, "SECRET_KEY can be guessed"),
    ],
)
def test_a_deployment_does_not_start_with_a_secret_that_can_be_guessed(secret: str, words: str) -> None:
    ended = start("-c", "import config.settings", SECRET_KEY=secret)
    assert ended.returncode != 0
    assert words in ended.stderr


def test_one_user_on_loopback_needs_no_secret() -> None:
    assert start("-c", "import config.settings", SINGLE_USER="1").returncode == 0


def test_djangos_deployment_check_finds_nothing() -> None:
    arguments = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    ended = start(*arguments, SECRET_KEY=GOOD_SECRET, BEHIND_TLS_PROXY="1")
    assert ended.returncode == 0, ended.stderr


def test_djangos_deployment_check_complains_about_a_site_without_tls() -> None:
    ended = start("manage.py", "check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=GOOD_SECRET)
    assert ended.returncode != 0
    assert {"security.W004", "security.W008", "security.W012", "security.W016"} <= {
        word.strip("():") for word in ended.stderr.split()
    }
