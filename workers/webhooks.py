"""Webhooks: where they may go, how they are signed, and how one is sent.

A signature is what https://www.standardwebhooks.com describes, so that receivers can check it with a library that
exists: base64 of HMAC-SHA256 over `id.timestamp.body`, with a secret of the user's own.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import httpx
import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from workers.models import Delivery

MAX_ADDRESS_LENGTH = 2000
MAX_WAITING = 1000
"""Deliveries of one user that wait; what comes on top is dropped."""
LOOK_UP_SECONDS = 2.0
ATTEMPT_SECONDS = 10.0
"""An attempt takes no longer, whatever the other side does."""
METADATA_ADDRESSES = frozenset({"168.63.129.16"})
"""Answered by a cloud's own machinery although they look public."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_look_ups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="webhook-names")


class AddressError(ValueError):
    """An address that no webhook may be sent to; says why."""


class UnreachableError(Exception):
    """An attempt that did not reach its receiver; another one may."""


def queue(*, owner: Any, url: str, event: str, body: dict[str, Any], run: Any = None) -> None:
    """Have a webhook sent once the caller's transaction is committed.

    `body` becomes the `data` beside `type` (the event) and `timestamp`. The address must have been checked when
    the user gave it (see `check_address`); it is checked again whenever it is used.
    """
    message = {"type": event, "timestamp": timezone.now(), "data": body}
    text = orjson.dumps(message, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY).decode()
    store(Delivery(owner=owner, run=run, via=Delivery.Via.WEBHOOK, address=url, event=event, body=text))


def store(delivery: Delivery) -> None:
    """Insert a delivery, unless its owner has too many that wait already."""
    waiting = Delivery.objects.filter(owner_id=delivery.owner_id, status=Delivery.Status.WAITING)
    if waiting.count() < MAX_WAITING:
        delivery.save(force_insert=True)


def check_address(url: str) -> None:
    """Refuse what a webhook may not be sent to; a name that can't be looked up now is checked when it is used.

    Raises
    ------
    AddressError
        A `ValueError` with a sentence about what is wrong.
    """
    parsed = _parse(url)
    try:
        found = _look_ups.submit(_addresses, parsed).result(LOOK_UP_SECONDS)
    except TimeoutError:
        return
    except UnreachableError as error:
        raise AddressError(str(error)) from error
    _check_public(parsed.host, found)


def secret_of(user_id: Any) -> str:
    """The secret that a user's webhooks are signed with; it changes with the deployment's `SECRET_KEY`."""
    key = salted_hmac("workers.webhooks", str(user_id), algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def signature(secret: str, *, message_id: str, timestamp: int, body: str) -> str:
    """The value of the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


async def send(delivery: Delivery) -> int:
    """Make one attempt; the status of the answer, whose body nobody reads.

    The name is looked up once, and the connection goes to the address that was checked: a name that points
    elsewhere a moment later changes nothing. Redirects are not followed.

    Raises
    ------
    AddressError
        If the address is not allowed, now.
    UnreachableError
        If there is no answer in time.
    """
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            return await _send(delivery)
    except TimeoutError:
        raise UnreachableError(f"no answer within {ATTEMPT_SECONDS:g} s") from None
    except httpx.HTTPError as error:
        raise UnreachableError(f"{type(error).__name__}: {error}"[:200]) from error


async def _send(delivery: Delivery) -> int:
    url = _parse(delivery.address)
    found = await asyncio.get_running_loop().run_in_executor(_look_ups, _addresses, url)
    _check_public(url.host, found)
    # The environment's proxies would look the name up themselves.
    async with httpx.AsyncClient(
        verify=_certificates(), trust_env=False, follow_redirects=False, timeout=ATTEMPT_SECONDS
    ) as client:
        request = client.build_request(
            "POST",
            url.copy_with(host=str(found[0]), fragment=None),
            content=delivery.body.encode(),
            headers={"Host": url.netloc.decode("ascii"), **_headers(delivery)},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        answer = await client.send(request, stream=True)
        await answer.aclose()
        return answer.status_code


def _headers(delivery: Delivery) -> dict[str, str]:
    timestamp = int(time.time())
    message_id = str(delivery.pk)
    secret = secret_of(delivery.owner_id)
    return {
        "Content-Type": "application/json",
        "User-Agent": "candlestream-webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            secret, message_id=message_id, timestamp=timestamp, body=delivery.body
        ),
    }


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """Whose certificates are believed: those of `SSL_CERT_FILE`, or of everybody; reading them takes a while."""
    return httpx.create_ssl_context()


def _parse(url: str) -> httpx.URL:
    """The parts of an address. Raises AddressError if it can't be one of a webhook, whatever its name stands for."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressError(f"Must be an address such as https://example.com/hook: {error}.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise AddressError("Must be an address that begins with https:// or http://.")
    if parsed.userinfo:
        raise AddressError("Must not hold a user name or password; put a secret into the path.")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise AddressError("The port must be from 1 to 65535.")
    if len(url) > MAX_ADDRESS_LENGTH:
        raise AddressError(f"Must have at most {MAX_ADDRESS_LENGTH:,} characters.")
    return parsed


def _addresses(url: httpx.URL) -> list[IPAddress]:
    """What a name stands for now. Raises UnreachableError if that is nothing."""
    try:
        found = socket.getaddrinfo(url.raw_host.decode("ascii"), url.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"There is no host {url.host[:100]!r}.") from error
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


def _check_public(host: str, found: list[IPAddress]) -> None:
    if settings.WEBHOOKS_ALLOW_PRIVATE:
        return
    for address in found:
        if not all(_is_public(meant) for meant in _meant_by(address)):
            is_said = host == str(address)
            which = host if is_said else f"{host[:100]} is {address}, which"
            raise AddressError(f"{which} is not a public address.")


def _is_public(address: IPAddress) -> bool:
    return address.is_global and not address.is_multicast and str(address) not in METADATA_ADDRESSES


def _meant_by(address: IPAddress) -> list[IPAddress]:
    """An address, and an IPv4 address that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [ipaddress.IPv4Address(address.packed[-4:])]
    hidden = [address.sixtofour, *(address.teredo or ())]
    return [address, *(each for each in hidden if each is not None)]
