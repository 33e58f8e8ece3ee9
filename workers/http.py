"""How this API speaks JSON, and how it pages."""

import json
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from workers.problems import BodyTooLargeError


class OrjsonRenderer(BaseRenderer):
    """JSON with native float64 and datetime support; NaN becomes null."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY)


class OrjsonParser(BaseParser):
    """Strict JSON: UTF-8, no NaN, no infinity, within the size limit."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLargeError(f"The body is larger than {limit} bytes.")
        try:
            return orjson.loads(body)
        except json.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}") from error


class Pagination(PageNumberPagination):
    """Pages of up to 1,000 rows: `?page=2&page_size=100`."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 1000
    invalid_page_message = "There is no page {page_number}: {message}."
