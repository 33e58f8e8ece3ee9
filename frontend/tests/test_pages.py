"""The two pages that the server draws, and what a browser may do on them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from frontend.security import POLICY

ADDRESSES = [
    "/",
    "/runs/",
    "/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c10/",
    "/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c10/BTCUSDT/",
    "/scans/",
    "/compare/",
    "/prices/",
    "/data/",
]


@pytest.fixture
def other_mode(settings: Any) -> None:
    """Settings of a server with more than one user."""
    settings.SINGLE_USER = False
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "LocalUser" not in name]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_page_gives_the_shell_to_a_user(client: Client, address: str):
    client.force_login(User.objects.create_user("ada"))
    response = client.get(address)
    assert response.status_code == 200
    assert "<cs-app" in response.content.decode()
    assert "csrftoken" in response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_login_every_address_leads_to_the_login_page_and_back(
    client: Client, other_mode: None, address: str
):
    response = client.get(address)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{reverse('frontend:login')}?next=")
    User.objects.create_user("ada", password="correct horse")
    logged_in = client.post(
        response.headers["Location"], {"username": "ada", "password": "correct horse", "next": address}
    )
    assert logged_in.headers["Location"] == address


@pytest.mark.django_db
def test_a_wrong_password_is_said_on_the_login_page(client: Client, other_mode: None):
    response = client.post("/login/", {"username": "ada", "password": "wrong"})
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()


@pytest.mark.django_db
def test_the_first_byte_has_the_chosen_theme_and_nothing_else_of_the_cookie(client: Client):
    client.cookies["theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in client.get("/login/").content.decode()
    client.cookies["theme"] = "x onload=alert(1)"
    assert '<html lang="en">' in client.get("/login/").content.decode()


@pytest.mark.django_db
def test_pages_carry_a_policy_without_inline_code_and_hold_none(client: Client):
    response = client.get("/login/")
    page = response.content.decode()
    assert response.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page


@pytest.mark.django_db
def test_an_address_of_nothing_is_told_to_people_as_a_page_and_to_programs_as_a_problem(client: Client):
    page = client.get("/runs/nonsense")
    assert (page.status_code, page.headers["Content-Security-Policy"]) == (404, POLICY)
    assert "There is no such page" in page.content.decode()
    answer = client.get("/api/nonsense/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["status"] == 404
