from django.apps import AppConfig


class CountingConfig(AppConfig):
    """An app with a kind of run of its own, as tests of the fan-out need one."""

    name = "workers.tests.counting"

    def ready(self) -> None:
        from workers import handlers
        from workers.tests.counting.handler import CountingHandler

        handlers.register(CountingHandler())
