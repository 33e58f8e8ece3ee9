"""Addresses of market data, below `/api/`."""

from django.urls import path

from market_data import api

urlpatterns = [
    path("cryptocurrencies/", api.CryptocurrencyList.as_view(), name="cryptocurrencies"),
]
