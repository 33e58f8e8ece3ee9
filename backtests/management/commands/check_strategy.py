"""`manage.py check_strategy NAME`: is a strategy fit to be backtested?"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pydantic import ValidationError

from backtests.engine.errors import EngineError
from backtests.strategies.checks import check_strategy
from backtests.strategies.registry import find_strategy
from backtests.strategies.strategy import Strategy


class Command(BaseCommand):
    """Run the checks of `backtests.strategies.checks` and print one line each."""

    help = "Check a strategy for look-ahead, determinism, warm-up and speed, over made-up candles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the strategy's name, for example rsi")
        parser.add_argument("--parameters", default="{}", help="JSON, for example '{\"period\": 21}'")

    def handle(self, *_args: Any, name: str, parameters: str, **_options: Any) -> None:
        try:
            strategy = find_strategy(name)
            findings = check_strategy(strategy, parameters=_parse(strategy, parameters))
        except EngineError as error:
            raise CommandError(str(error)) from error
        for finding in findings:
            style = self.style.SUCCESS if finding.passed else self.style.ERROR
            self.stdout.write(
                style(f"{'ok  ' if finding.passed else 'FAIL'} {finding.check}: {finding.message}")
            )
        if not all(finding.passed for finding in findings):
            raise CommandError(f"{name} is not fit to be backtested yet")


def _parse(strategy: Strategy, text: str) -> Any:
    try:
        return strategy.Parameters.model_validate(json.loads(text))
    except (json.JSONDecodeError, ValidationError) as error:
        raise EngineError(f"--parameters: {error}") from error
