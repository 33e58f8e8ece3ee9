"""What a browser may do on our pages: load our own files and talk to this host, nothing else."""

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # data: for the favicon that shows progress
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Send the policy with every answer that does not bring its own."""

    def process_response(self, _request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Add the header; an answer that already has one keeps it."""
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
