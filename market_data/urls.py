"""Addresses of market data, below `/api/`."""

from django.urls import path

from market_data import api, candle_api, download_api, import_api, series_api

urlpatterns = [
    path("cryptocurrencies/", api.CryptocurrencyList.as_view(), name="cryptocurrencies"),
    path("cryptocurrencies/<str:symbol>/candles/", candle_api.CandleColumns.as_view(), name="candles"),
    path("downloads/", download_api.DownloadList.as_view(), name="downloads"),
    path("imports/", import_api.ImportList.as_view(), name="imports"),
    path("imports/<uuid:pk>/", import_api.ImportDetail.as_view(), name="import"),
    path("series/<int:pk>/candles/", series_api.SeriesCandles.as_view(), name="series-candles"),
    path("series/<int:pk>/quality/", series_api.SeriesQuality.as_view(), name="series-quality"),
]
