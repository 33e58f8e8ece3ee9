"""The REST edge of saved scans."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backtests.models import SavedScan
from backtests.scans import saved
from backtests.scans.requests import ScanRequestSerializer
from workers.serializers import RunSerializer
from workers.views import accepted

NAME_IS_TAKEN = "You have a saved scan of that name."


class SavedScanSerializer(serializers.ModelSerializer[SavedScan]):
    """A saved scan; `request` is the body of a request to scan, without a moment of its own."""

    request = serializers.DictField(help_text="As the body of `POST /api/scans/`, without `until`.")
    last_run = serializers.PrimaryKeyRelatedField(read_only=True)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = SavedScan
        fields = ("id", "name", "request", "on_new_candles", "enabled", "created_at", "last_run", "error")
        read_only_fields = ("created_at", "error")

    def validate_name(self, value: str) -> str:
        others = SavedScan.objects.filter(owner=self._owner(), name=value)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(NAME_IS_TAKEN)
        return value

    def validate_request(self, value: dict[str, Any]) -> dict[str, Any]:
        """Check it as the request to scan that it will be, and keep to the source that it finds now."""
        if value.get("until") is not None:
            raise serializers.ValidationError({"until": ["A saved scan is of the newest candles, always."]})
        body = ScanRequestSerializer(data=value, context=self.context)
        body.is_valid(raise_exception=True)
        spec = body.spec()
        return {**value, "source": spec["source"], "interval": spec["interval"]}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        limit = settings.MAX_SAVED_SCANS_PER_USER
        if self.instance is None and SavedScan.objects.filter(owner=self._owner()).count() >= limit:
            raise serializers.ValidationError(f"You have {limit} saved scans, as many as a user may have.")
        return attrs

    def save(self, **kwargs: Any) -> SavedScan:
        """Keep it; what it asks anew is asked of candles that come from now on."""
        if "request" in self.validated_data:
            kwargs["seen_versions"] = saved.versions_of(self.validated_data["request"])
        try:
            with transaction.atomic():
                return super().save(**kwargs)
        except IntegrityError:  # another request with that name was faster
            raise serializers.ValidationError({"name": [NAME_IS_TAKEN]}) from None

    def _owner(self) -> Any:
        return self.context["request"].user if self.instance is None else self.instance.owner


@extend_schema_view(
    get=extend_schema(description="List your saved scans, by name."),
    post=extend_schema(description="Save a scan, to start it again or whenever there are new candles."),
)
class SavedScanList(generics.ListCreateAPIView[SavedScan]):
    """Saved scans of the user, by name."""

    serializer_class = SavedScanSerializer

    def get_queryset(self) -> Any:
        return visible_scans(self)

    def perform_create(self, serializer: Any) -> None:
        serializer.save(owner=self.request.user)


@extend_schema_view(
    get=extend_schema(description="Show a saved scan."),
    put=extend_schema(description="Replace a saved scan."),
    patch=extend_schema(description="Change a saved scan."),
    delete=extend_schema(description="Delete a saved scan; its runs stay."),
)
class SavedScanDetail(generics.RetrieveUpdateDestroyAPIView[SavedScan]):
    """One saved scan; deleting it leaves its runs."""

    serializer_class = SavedScanSerializer

    def get_queryset(self) -> Any:
        return visible_scans(self)


class StartSavedScan(APIView):
    """Start a saved scan now."""

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Start it without waiting for new candles; 400 if its request is no longer valid."""
        scan = visible_scans(self).filter(pk=pk).first()
        if scan is None:
            raise NotFound("There is no such saved scan.")
        return accepted(saved.start(scan))


def visible_scans(view: APIView) -> Any:
    """Those of the user, or all for staff."""
    scans = SavedScan.objects.order_by("name", "pk")
    if getattr(view, "swagger_fake_view", False):
        return scans.none()
    user: Any = view.request.user
    return scans if user.is_staff else scans.filter(owner=user)
