"""Candles by upload: the same import as the command's, over the API."""

import re
import tempfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.adjusting import Adjustment, parse_adjustment
from market_data.errors import MarketDataError
from market_data.importers.importing import SOURCE, Imported, ImportOptions, import_file
from market_data.importers.layout import FIELDS
from market_data.intervals import INTERVAL_MS
from market_data.models import as_datetime
from market_data.serializers import WarningSerializer

MAX_BYTES = 2 * 1024**3
_NAME = re.compile(r"[A-Za-z0-9][\w .()@+,&-]{0,150}")


@extend_schema_field(OpenApiTypes.STR)
class ColumnsField(serializers.Field[Any, Any, Any, Any]):
    """`time=Date,volume=Volume BTC`."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        pairs = [pair.partition("=") for pair in str(data).split(",") if pair.strip()]
        columns = {field.strip(): name.strip() for field, _, name in pairs}
        unknown = set(columns) - {*FIELDS, "symbol"}
        if unknown or not all(columns.values()):
            raise serializers.ValidationError(
                f"Must look like time=Date,volume=Volume; fields: {', '.join(FIELDS)}."
            )
        return columns

    def to_representation(self, value: dict[str, str]) -> str:
        return ",".join(f"{field}={name}" for field, name in value.items())


@extend_schema_field(OpenApiTypes.STR)
class AdjustmentField(serializers.Field[Any, Any, Any, Any]):
    """`SUNUSDT=1000@2021-06-18`."""

    def to_internal_value(self, data: Any) -> Adjustment:
        try:
            return parse_adjustment(str(data))
        except MarketDataError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: Adjustment) -> str:
        return f"{value.symbol}={value.factor:g}@{as_datetime(value.before_ms)}"


class UploadSerializer(serializers.Serializer[Any]):
    """A file of candles, and what to say about it instead of having it recognised."""

    file = serializers.FileField(help_text="Parquet, CSV (also gz, zip), Feather or JSON.")
    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        max_length=40, default=SOURCE, help_text="Where the candles come from."
    )
    symbol = serializers.RegexField(r"^[A-Z0-9]{2,30}$", required=False, help_text="BTCUSDT")
    interval = serializers.ChoiceField(choices=list(INTERVAL_MS), required=False)
    columns = ColumnsField(required=False, default=dict, help_text="time=Date,volume=Volume BTC")
    adjust = serializers.ListField(child=AdjustmentField(), default=list, help_text="SUNUSDT=1000@2021-06-18")
    keep_reused = serializers.BooleanField(default=False, help_text="Do not split a reused symbol.")
    dry_run = serializers.BooleanField(default=False, help_text="Tell what is recognised; store nothing.")

    def validate_file(self, value: "UploadedFile[Any]") -> "UploadedFile[Any]":
        if not _NAME.fullmatch(value.name or ""):
            raise serializers.ValidationError("The file's name must be a plain one, such as BTCUSDT_1h.csv.")
        if (value.size or 0) > MAX_BYTES:
            raise serializers.ValidationError(f"Must not be larger than {MAX_BYTES:,} bytes.")
        return value


class ImportedSerializer(serializers.Serializer[Imported]):
    """One cryptocurrency in the file."""

    file = serializers.CharField()
    symbol = serializers.CharField()
    interval = serializers.CharField()
    layout = serializers.CharField(help_text="What make of file it is.")
    columns = serializers.DictField(child=serializers.CharField())
    times = serializers.CharField(source="written_as", help_text="How times are written in the file.")
    candle_count = serializers.IntegerField()
    first_open = serializers.SerializerMethodField()
    last_open = serializers.SerializerMethodField()
    repairs = serializers.DictField(child=serializers.IntegerField(), help_text="Rows each rule touched.")
    warnings = WarningSerializer(many=True)
    series = serializers.SerializerMethodField(help_text="Ids of the series written to.")

    def get_first_open(self, imported: Imported) -> Any:
        return as_datetime(imported.first_open_ms)

    def get_last_open(self, imported: Imported) -> Any:
        return as_datetime(imported.last_open_ms)

    def get_series(self, imported: Imported) -> list[int]:
        return [series.pk for series in imported.series]


class ImportList(APIView):
    """Uploads of candles. Candles are everyone's, so only staff may change them."""

    permission_classes = (IsAdminUser,)
    parser_classes = (MultiPartParser,)

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={201: ImportedSerializer(many=True), 200: ImportedSerializer(many=True)},
        tags=["market data"],
    )
    def post(self, request: Request) -> Response:
        """Import a file: 201 with what was found in it, or 200 for a dry run."""
        upload = UploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        wanted: dict[str, Any] = upload.validated_data
        try:
            found = import_upload(wanted["file"], _options(wanted), dry_run=wanted["dry_run"])
        except MarketDataError as error:
            raise serializers.ValidationError({"file": [str(error)]}) from error
        code = status.HTTP_200_OK if wanted["dry_run"] else status.HTTP_201_CREATED
        serializer = ImportedSerializer(found, many=True)  # pyright: ignore[reportArgumentType]
        return Response(serializer.data, status=code)


def import_upload(file: "UploadedFile[Any]", options: ImportOptions, *, dry_run: bool) -> list[Imported]:
    """Import an uploaded file, under the name it was sent with, from a folder that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="candlestream-upload-") as folder:
        path = Path(folder) / Path(str(file.name)).name
        with path.open("wb") as target:
            for piece in file.chunks():
                target.write(piece)
        return import_file(path, options, dry_run=dry_run)


def _options(wanted: dict[str, Any]) -> ImportOptions:
    return ImportOptions(
        source=wanted["source"],
        symbol=wanted.get("symbol"),
        interval=wanted.get("interval"),
        columns=wanted["columns"],
        adjustments=wanted["adjust"],
        split_reused=not wanted["keep_reused"],
    )
