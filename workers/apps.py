from django.apps import AppConfig


class WorkersConfig(AppConfig):
    """The fan-out: runs, jobs, events, control. Knows nothing of what a job does."""

    name = "workers"
    verbose_name = "Workers"

    def ready(self) -> None:
        from workers import retention, scheduler, sweeper  # models are loaded only now

        scheduler.register_step("sweep", sweeper.PERIOD_SECONDS, sweeper.sweep)
        scheduler.register_step("forget dead workers", 3600, retention.forget_dead_workers)
