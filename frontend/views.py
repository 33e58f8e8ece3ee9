"""Two pages: the shell that the browser fills from the API, and the login."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie

THEMES = ("light", "dark")


def chosen_theme(request: HttpRequest) -> str:
    """The theme the user chose, or "" for the system's; from a cookie, so that the first paint is right."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in THEMES else ""


@never_cache
@login_required(login_url=reverse_lazy("frontend:login"))
@ensure_csrf_cookie
def shell(request: HttpRequest, **_address: object) -> HttpResponse:
    """The one document behind every address of the page."""
    context = {"theme": chosen_theme(request), "single_user": settings.SINGLE_USER}
    return render(request, "frontend/shell.html", context)


class LoginPage(LoginView):
    """Asks for name and password wherever more than one user exists."""

    template_name = "frontend/login.html"
    redirect_authenticated_user = True
    next_page = "frontend:new_run"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """Add the theme, so that the login looks like the page behind it."""
        return {**super().get_context_data(**kwargs), "theme": chosen_theme(self.request)}
