from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string


class WorkersConfig(AppConfig):
    """The fan-out: runs, jobs, events, control. Knows nothing of what a job does."""

    name = "workers"
    verbose_name = "Workers"

    def ready(self) -> None:
        from workers import deliveries, retention, scheduler, sweeper, tickets  # models are loaded only now

        # Every thread of every process that publishes must know the app, not only the one that imported it.
        import_string(settings.CELERY_APP).set_default()
        scheduler.register_step("sweep", sweeper.PERIOD_SECONDS, sweeper.sweep)
        scheduler.register_step("forget dead workers", 3600, retention.forget_dead_workers)
        scheduler.register_step("prune runs", 3600, retention.prune_runs_as_configured)
        scheduler.register_step("send notifications", deliveries.PERIOD_SECONDS, deliveries.send_due)
        scheduler.register_step("prune notifications", 3600, deliveries.prune)
        scheduler.register_step("prune tickets", 600, tickets.prune)
        scheduler.register_step("forget expired access", 3600, retention.forget_expired_access)
