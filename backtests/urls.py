from django.urls import path

from backtests import curve_api, views
from backtests.scans import saved_api
from backtests.scans import views as scans
from backtests.stream import stream_view

urlpatterns = [
    path("strategies/", views.StrategyList.as_view(), name="strategies"),
    path("backtests/", views.BacktestList.as_view(), name="backtests"),
    path("backtests/stream/", stream_view(views.start_backtest), name="backtest-stream"),
    path("backtests/<uuid:run_id>/results/", views.ResultList.as_view(), name="results"),
    path("backtests/<uuid:run_id>/results/<str:symbol>/", views.ResultDetail.as_view(), name="result"),
    path(
        "backtests/<uuid:run_id>/results/<str:symbol>/curve/",
        curve_api.ResultCurve.as_view(),
        name="result-curve",
    ),
    path("scans/", scans.ScanList.as_view(), name="scans"),
    path("scans/stream/", stream_view(scans.start_scan), name="scan-stream"),
    path("scans/<uuid:run_id>/results/", scans.ScanResultList.as_view(), name="scan-results"),
    path("scans/<uuid:run_id>/results/<str:symbol>/", scans.ScanResultDetail.as_view(), name="scan-result"),
    path("saved-scans/", saved_api.SavedScanList.as_view(), name="saved-scans"),
    path("saved-scans/<int:pk>/", saved_api.SavedScanDetail.as_view(), name="saved-scan"),
    path("saved-scans/<int:pk>/run/", saved_api.StartSavedScan.as_view(), name="saved-scan-run"),
]
