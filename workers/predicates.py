"""Predicates over metrics, such as `sharpe >= 1 and trade_count >= 20`: a small grammar, nothing is evaluated.

    either     = both { "or" both }
    both       = condition { "and" condition }
    condition  = "not" condition | "(" either ")" | metric operator number
    operator   = ">=" | "<=" | ">" | "<" | "==" | "!="

A metric that is undefined for a result satisfies no comparison.
"""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn

MAX_LENGTH = 500
MAX_DEPTH = 20

Metrics = Mapping[str, float | None]
Condition = Callable[[Metrics], bool]

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>>=|<=|==|!=|>|<|\(|\)))"
)


class PredicateError(ValueError):
    """A text that is no predicate; the message says where and what would be right."""


def parse(text: str, names: Collection[str]) -> Condition:
    """The condition that a text states over the metrics of these names.

    Raises
    ------
    PredicateError
        If the text is too long, does not follow the grammar, or names an unknown metric.
    """
    if len(text) > MAX_LENGTH:
        raise PredicateError(f"a predicate has at most {MAX_LENGTH} characters; this has {len(text)}")
    return _Parser(text, names).parse()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._text = text
        self._names = names
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> Condition:
        condition = self._either()
        if self._next < len(self._tokens):
            self._fail("and, or, or the end")
        return condition

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda metrics: any(part(metrics) for part in parts)

    def _both(self) -> Condition:
        parts = [self._condition()]
        while self._take("and"):
            parts.append(self._condition())
        return parts[0] if len(parts) == 1 else lambda metrics: all(part(metrics) for part in parts)

    def _condition(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PredicateError(f"a predicate is nested at most {MAX_DEPTH} deep")
        try:
            if self._take("not"):
                inner = self._condition()
                return lambda metrics: not inner(metrics)
            if self._take("("):
                inner = self._either()
                if not self._take(")"):
                    self._fail("a closing parenthesis")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        name = self._peek()
        if name not in self._names:
            self._fail(f"a metric ({', '.join(sorted(self._names))})")
        self._next += 1
        compare = _OPERATORS.get(self._peek())
        if compare is None:
            self._fail(f"one of {' '.join(_OPERATORS)}")
        self._next += 1
        try:
            number = float(self._peek())
        except ValueError:
            self._fail("a number")
        self._next += 1

        def holds(metrics: Metrics) -> bool:
            value = metrics[name]
            return value is not None and compare(value, number)

        return holds

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        if self._peek().lower() != token:
            return False
        self._next += 1
        return True

    def _fail(self, wanted: str) -> NoReturn:
        if self._next < len(self._tokens):
            found, at = self._tokens[self._next]
            raise PredicateError(f"expected {wanted} at character {at + 1}, found {found!r}")
        raise PredicateError(f"expected {wanted} at the end")


def _tokens(text: str) -> list[tuple[str, int]]:
    """Tokens and where they begin."""
    found: list[tuple[str, int]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise PredicateError(f"unexpected {text[at]!r} at character {at + 1}")
        token = match[match.lastgroup or 0]
        found.append((token, match.end() - len(token)))
        at = match.end()
    return found
