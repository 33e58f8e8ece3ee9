from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from workers.models import ApiToken


class Command(BaseCommand):
    """Create an API token and print its secret, which is shown this once."""

    help = "Create an API token for a user; its secret is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="what the token is for")
        parser.add_argument("--days", type=int, default=90, help="days until it expires")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = get_user_model().objects.filter(username=options["username"]).first()
        if owner is None:
            raise CommandError(f"there is no user {options['username']!r}; create one with createsuperuser")
        self.stdout.write(ApiToken.issue(owner=owner, name=options["name"], days=options["days"]))
