"""What bodies of requests have in common."""

import pytest
from rest_framework import serializers

from workers.problems import problem
from workers.requests import ChoiceField, RequestSerializer


class Order(RequestSerializer):
    size_units = serializers.FloatField(required=False)
    side = ChoiceField(choices=["buy", "sell"], required=False)
    made_at = serializers.DateTimeField(read_only=True)


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"size_unit": 1}, "size_unit", "There is no such field; did you mean size_units?"),
        ({"colour": 1}, "colour", "There is no such field; there are size_units, side."),
        ({"side": "up"}, "side", '"up" is not a valid choice; there are buy, sell.'),
        ([1], "non_field_errors", "Must be a JSON object, not list."),
    ],
)
def test_a_refusal_says_what_would_be_right(body: object, field: str, message: str) -> None:
    order = Order(data=body)
    assert not order.is_valid()
    assert order.errors[field] == [message]


def test_what_is_shown_may_be_sent_back(db: None) -> None:
    order = Order(data={"size_units": 1, "made_at": "2024-01-01T00:00:00Z"})
    assert order.is_valid()
    assert order.validated_data == {"size_units": 1.0}


def test_what_is_said_of_an_object_as_a_whole_stands_under_its_own_name() -> None:
    body = problem(
        400, {"parameters": {"non_field_errors": ["fast must be below slow"], "fast": ["Too high."]}}
    )
    assert body["errors"] == {"parameters": ["fast must be below slow"], "parameters.fast": ["Too high."]}
    assert problem(400, ["Must be a JSON object."])["detail"] == "Must be a JSON object."
