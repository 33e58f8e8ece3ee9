from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.health import health

admin.site.site_header = admin.site.site_title = "Candlestream"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/health/", health, name="health"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="schema", template_name="frontend/api_docs.html", http_method_names=["get", "head"]
        ),
        name="docs",
    ),
    path("api/", include("backtests.urls")),
    path("api/", include("market_data.urls")),
    path("api/", include("market_data.prices.urls")),
    path("api/", include("workers.urls")),
    path("", include("frontend.urls")),
]

handler404 = "frontend.views.not_found"
