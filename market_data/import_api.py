"""Candles by upload: the same import as the command's, as a run that a worker carries out."""

import re
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.adjusting import Adjustment, parse_adjustment
from market_data.errors import MarketDataError
from market_data.importers.importing import SOURCE
from market_data.importers.layout import FIELDS
from market_data.intervals import INTERVAL_MS
from market_data.models import ImportResult, Upload, as_datetime
from market_data.serializers import WarningSerializer
from market_data.uploads import spool
from market_data.uploads.handler import KIND
from workers.http import OrjsonParser
from workers.models import Run
from workers.requests import ChoiceField
from workers.runs import create_run
from workers.serializers import RunSerializer, represent

MAX_BYTES = 2 * 1024**3
LISTED = 50
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

    file = serializers.FileField(required=False, help_text="Parquet, CSV (also gz, zip), Feather or JSON.")
    upload = serializers.UUIDField(
        required=False, help_text="Instead of the file: one that was sent before, as `spec.upload` names it."
    )
    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        max_length=40, default=SOURCE, help_text="Where the candles come from."
    )
    symbol = serializers.RegexField(r"^[A-Z0-9]{2,30}$", required=False, help_text="BTCUSDT")
    interval = ChoiceField(choices=list(INTERVAL_MS), required=False)
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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("file" in attrs) == ("upload" in attrs):
            raise serializers.ValidationError({"file": ["Send either a file or the upload of one."]})
        return attrs


class ImportedSerializer(serializers.Serializer[Any]):
    """One cryptocurrency in the file."""

    file = serializers.CharField()
    symbol = serializers.CharField()
    interval = serializers.CharField()
    layout = serializers.CharField(help_text="What make of file it is.")
    columns = serializers.DictField(child=serializers.CharField())
    times = serializers.CharField(help_text="How times are written in the file.")
    candle_count = serializers.IntegerField()
    first_open = serializers.DateTimeField()
    last_open = serializers.DateTimeField()
    repairs = serializers.DictField(child=serializers.IntegerField(), help_text="Rows each rule touched.")
    warnings = WarningSerializer(many=True)
    series = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids of the series written to; none after a dry run."
    )


class ImportList(APIView):
    """Uploads of candles. Candles are everyone's, so only staff may change them."""

    permission_classes = (IsAdminUser,)
    parser_classes = (MultiPartParser, OrjsonParser)

    @extend_schema(responses=RunSerializer(many=True), tags=["market data"])
    def get(self, request: Request) -> Response:
        """List the latest imports, newest first."""
        runs = Run.objects.visible_to(request.user).filter(kind=KIND)[:LISTED]
        return Response([represent(run) for run in runs])

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={202: RunSerializer},
        tags=["market data"],
    )
    def post(self, request: Request) -> Response:
        """Start a run that imports a file, or with `dry_run` tells what it would import."""
        body = UploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = body.validated_data
        try:
            run = start_import(owner=request.user, **wanted)
        except spool.SpoolFullError as error:
            raise serializers.ValidationError({"file": [str(error)]}) from error
        data = RunSerializer(run).data
        return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": data["links"]["self"]})


class ImportDetail(APIView):
    """What one import has found."""

    @extend_schema(
        operation_id="imports_found", responses=ImportedSerializer(many=True), tags=["market data"]
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Everything that an import has found in its file; nothing until it has been checked."""
        run = get_object_or_404(Run.objects.visible_to(request.user).filter(kind=KIND), pk=pk)
        results = ImportResult.objects.filter(job__run=run)
        return Response([one for found in results.values_list("found", flat=True) for one in found])


def start_import(
    *, owner: Any, file: "UploadedFile[Any] | None" = None, upload: UUID | None = None, **options: Any
) -> Run:
    """Keep a file where every worker can read it, and start the run that imports it.

    Raises
    ------
    SpoolFullError
        If too much waits to be imported.
    InvalidSpecError
        If `upload` names none that is still kept.
    """
    kept = (
        Upload.objects.filter(pk=upload, imported_at=None).first()
        if file is None
        else spool.keep(file.chunks(), size_bytes=file.size or 0, name=str(file.name), owner=owner)
    )
    spec = {
        "upload": str(kept.pk if kept else upload),
        "file": kept.name if kept else "",
        "size_bytes": kept.size_bytes if kept else 0,
        "dry_run": options["dry_run"],
        "source": options["source"],
        "symbol": options.get("symbol"),
        "interval": options.get("interval"),
        "columns": options["columns"],
        "adjust": [asdict(adjustment) for adjustment in options["adjust"]],
        "keep_reused": options["keep_reused"],
    }
    return create_run(owner=owner, kind=KIND, spec=spec)
