"""Addresses of the page: the browser draws all from one shell, so that each can be reloaded and shared."""

from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from frontend import views

app_name = "frontend"

urlpatterns: list[URLPattern] = [
    path("", views.shell, name="new_run"),
    path("runs/", views.shell, name="runs"),
    path("runs/<uuid:run_id>/", views.shell, name="run"),
    path("runs/<uuid:run_id>/<str:symbol>/", views.shell, name="result"),
    path("scans/", views.shell, name="scans"),
    path("compare/", views.shell, name="compare"),
    path("prices/", views.shell, name="prices"),
    path("data/", views.shell, name="data"),
    # Pages that are not ours, such as the admin's, name no icon: browsers ask here.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("build/favicon.svg"), permanent=False)),
    path("login/", views.LoginPage.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="frontend:login"), name="logout"),
]
