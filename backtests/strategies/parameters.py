"""Parameters of strategies: pydantic models whose fields describe themselves in a form."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class StrategyParameters(BaseModel):
    """Base of a strategy's parameters: unknown names, infinity and NaN are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def bars(default: int, title: str, description: str, *, lowest: int = 2, highest: int = 5000) -> Any:
    """A field that counts bars."""
    return Field(
        default,
        ge=lowest,
        le=highest,
        title=title,
        description=description,
        json_schema_extra={"unit": "bars"},
    )


def number(
    default: float, title: str, description: str, *, lowest: float, highest: float, unit: str | None = None
) -> Any:
    """A field that holds a number; `unit` is shown behind it."""
    return Field(
        default,
        ge=lowest,
        le=highest,
        title=title,
        description=description,
        json_schema_extra={"unit": unit} if unit else None,
    )


def check_below(low_name: str, low: float, high_name: str, high: float) -> None:
    """For validators across fields.

    Raises
    ------
    ValueError
        If `low` is not below `high`; names both.
    """
    if not low < high:
        raise ValueError(f"{low_name} ({low:g}) must be below {high_name} ({high:g})")
