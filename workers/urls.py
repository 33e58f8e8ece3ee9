from django.urls import path

from workers import views

urlpatterns = [
    path("runs/", views.RunList.as_view(), name="run-list"),
    path("runs/<uuid:run_id>/", views.RunDetail.as_view(), name="run"),
    path("runs/<uuid:run_id>/events/", views.RunEvents.as_view(), name="run-events"),
]
