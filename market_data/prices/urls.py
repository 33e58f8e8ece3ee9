"""Addresses of live prices, below `/api/`."""

from django.urls import path

from market_data.prices import alert_api, api, sse

urlpatterns = [
    path("prices/", api.PriceList.as_view(), name="prices"),
    path("prices/alerts/", alert_api.AlertList.as_view(), name="price-alerts"),
    path("prices/alerts/<uuid:alert_id>/", alert_api.AlertDetail.as_view(), name="price-alert"),
    path("prices/history/", api.PriceHistories.as_view(), name="price-histories"),
    path("prices/stream/", sse.price_stream, name="price-stream"),
    path("prices/<str:symbol>/history/", api.PriceHistory.as_view(), name="price-history"),
]
