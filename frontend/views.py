"""Two pages: the shell that the browser fills from the API, and the login."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What stands at no address: a page for people, problem details for programs."""
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": "Not found", "status": 404}
        problem["detail"] = "There is nothing at this address; see /api/docs/."
        return JsonResponse(problem, status=404, content_type="application/problem+json")
    context = {"theme": chosen_theme(request)}
    return HttpResponseNotFound(render(request, "frontend/not_found.html", context).content)


class LoginPage(LoginView):
    """Asks for name and password wherever more than one user exists."""

    template_name = "frontend/login.html"
    redirect_authenticated_user = True
    next_page = "frontend:new_run"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """Add the theme, so that the login looks like the page behind it."""
        return {**super().get_context_data(**kwargs), "theme": chosen_theme(self.request)}
