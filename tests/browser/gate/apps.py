import os
from pathlib import Path
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.apps import AppConfig


class GateConfig(AppConfig):
    """An app that puts the gate before every job of this process."""

    name = "tests.browser.gate"

    def ready(self) -> None:
        from tests.browser.gate.gate import Gate
        from workers import handlers

        gate = Gate(Path(os.environ["CANDLESTREAM_HOME"]) / "gate")
        for handler in handlers.all_handlers():
            _put_before(handler, gate)
        task_prerun.connect(lambda **_: gate.begin(), weak=False)
        task_postrun.connect(lambda **_: gate.end(), weak=False)


def _put_before(handler: Any, gate: Any) -> None:
    execute = handler.execute

    def execute_behind_the_gate(spec: Any, key: str) -> Any:
        gate.pass_through(key)
        return execute(spec, key)

    handler.execute = execute_behind_the_gate
