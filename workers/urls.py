from django.urls import path

from workers import sse, views

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
]
