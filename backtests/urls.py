from django.urls import path

from backtests import views
from backtests.stream import backtest_stream

urlpatterns = [
    path("strategies/", views.StrategyList.as_view(), name="strategies"),
    path("backtests/", views.BacktestList.as_view(), name="backtests"),
    path("backtests/stream/", backtest_stream, name="backtest-stream"),
    path("backtests/<uuid:run_id>/results/", views.ResultList.as_view(), name="results"),
    path("backtests/<uuid:run_id>/results/<str:symbol>/", views.ResultDetail.as_view(), name="result"),
]
