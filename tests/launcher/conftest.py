"""A home folder with a market in it, made once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.launched import Launched, processes_of, wait_for
from tests.servers import private_folder

GENERATE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("generate_market", symbols=3, years=0.2)
"""


@pytest.fixture(scope="session")
def market_home() -> Iterator[Path]:
    """The folder of an embedded Candlestream that knows three generated cryptocurrencies."""
    with private_folder() as folder:
        home = folder / "home"
        home.mkdir()
        command = [sys.executable, "-c", GENERATE]
        with Launched(
            home, command=command, SINGLE_USER="1", DJANGO_SETTINGS_MODULE="config.settings"
        ) as made:
            assert made.process.wait(200) == 0, made.said
        yield home


@pytest.fixture
def home(market_home: Path) -> Iterator[Path]:
    """The same folder, with nothing running in it before and after a test."""
    assert not processes_of(market_home)
    yield market_home
    wait_for(lambda: not processes_of(market_home), 60)
