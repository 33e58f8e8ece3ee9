from django.urls import path

from workers import access_views, notification_views, sse, views

urlpatterns = [
    path("runs/", views.RunList.as_view(), name="run-list"),
    path("runs/<uuid:run_id>/", views.RunDetail.as_view(), name="run"),
    path("runs/<uuid:run_id>/stop/", views.StopRun.as_view(), name="run-stop"),
    path("runs/<uuid:run_id>/pause/", views.PauseRun.as_view(), name="run-pause"),
    path("runs/<uuid:run_id>/resume/", views.ResumeRun.as_view(), name="run-resume"),
    path("runs/<uuid:run_id>/retry/", views.RetryRun.as_view(), name="run-retry"),
    path("runs/<uuid:run_id>/stats/", views.RunStats.as_view(), name="run-stats"),
    path("runs/<uuid:run_id>/stream/", sse.run_stream, name="run-stream"),
    path("runs/<uuid:run_id>/events/", views.RunEvents.as_view(), name="run-events"),
    path("runs/<uuid:run_id>/deliveries/", notification_views.RunDeliveries.as_view(), name="run-deliveries"),
    path("tokens/", access_views.TokenList.as_view(), name="tokens"),
    path("tokens/<int:pk>/", access_views.TokenDetail.as_view(), name="token"),
    path("tickets/", access_views.TicketList.as_view(), name="tickets"),
    path("webhooks/", notification_views.WebhookSigning.as_view(), name="webhooks"),
]
