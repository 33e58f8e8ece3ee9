"""The market data part of the API."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data import market
from market_data.serializers import CryptocurrencySerializer, SeriesQuerySerializer


class CryptocurrencyList(APIView):
    """Every cryptocurrency with candles."""

    @extend_schema(
        parameters=[SeriesQuerySerializer],
        responses=CryptocurrencySerializer(many=True),
        tags=["market data"],
    )
    def get(self, request: Request) -> Response:
        """List the cryptocurrencies that have candles, most traded first."""
        query = SeriesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = market.cryptocurrencies(**query.validated_data)
        return Response(CryptocurrencySerializer(found, many=True).data)
