"""The checker, for a minute with a fixed seed; by hand it runs as long as you like."""

import os
import subprocess
import sys

import pytest

from tests.stack import ROOT


@pytest.mark.timeout(600)
def test_nothing_is_lost_while_everything_breaks() -> None:
    hidden = {"DATABASE_URL", "REDIS_URL", "CANDLESTREAM_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "tests.faults.checker", "--seed", "1", "--seconds", "60"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "END_WITH_PARENT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-8000:]
    print(done.stdout)
