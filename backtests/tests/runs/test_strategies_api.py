"""`GET /api/strategies/`: what a form can be made from."""

from rest_framework.test import APIClient


def test_strategies_come_with_the_schema_of_their_parameters(client: APIClient) -> None:
    strategies = {strategy["name"]: strategy for strategy in client.get("/api/strategies/").json()}
    period = strategies["rsi"]["parameters"]["properties"]["period"]
    assert (period["default"], period["minimum"], period["type"], period["unit"]) == (
        14,
        2,
        "integer",
        "bars",
    )
    assert strategies["sma_cross"]["acts_on"] == "cross"


def test_nothing_is_shown_without_a_login() -> None:
    for path in ("strategies", "cryptocurrencies", "runs"):
        response = APIClient().get(f"/api/{path}/")
        assert (response.status_code, response.json()["title"]) == (401, "Log in or send a token")
