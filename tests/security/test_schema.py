"""Requests made up from the API's own description: never a 500, and answers as they are described.

`SCHEMA_EXAMPLES=200 pytest tests/security/test_schema.py` looks for longer, `SCHEMA_SEED` elsewhere.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checks import wait_for
from tests.security.conftest import Site, nothing_went_wrong

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "3"))
SEED = os.environ.get("SCHEMA_SEED", "1")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
LEAST_REQUESTS = 500
"""Fewer would mean that it has hardly begun."""
LEFT_OUT = {
    "DELETE /api/runs/{run_id}/": "would delete what the other requests ask for",
    "DELETE /api/tokens/{id}/": "would delete the token of the requests themselves",
    "POST /api/downloads/": "would ask exchanges",
    "GET /api/prices/stream/": "never ends",
}
pytestmark = pytest.mark.timeout(400 + 60 * EXAMPLES)


def finished(site: Site, path: str, body: dict[str, Any]) -> str:
    """Start a run, wait for its end; its id."""
    with site.client("staff") as client:
        run = client.post(path, json=body).raise_for_status().json()
        wait_for(lambda: client.get(run["links"]["self"]).json()["ended_at"], 60, "the end of a run")
    return run["id"]


def known_things(site: Site) -> str:
    """What exists, for the places in addresses: made-up ones would all be answered with 404."""
    backtest = finished(site, "/api/backtests/", {"strategy": "rsi"})
    scan = finished(site, "/api/scans/", {"strategy": "rsi"})
    return f"""
[parameters]
"path.run_id" = "{backtest}"
"path.symbol" = "AAAUSDT"
[[operations]]
include-path-regex = "^/api/scans/"
parameters = {{ "path.run_id" = "{scan}" }}
[[operations]]
include-path-regex = "^/api/series/"
parameters = {{ "path.id" = 1 }}
"""


def test_no_request_that_the_schema_allows_or_forbids_ends_in_a_server_error(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(known_things(site))
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{site.stack.url}/api/schema/"]
    command += ["-H", f"Authorization: {site.headers('staff')['Authorization']}", "--seed", SEED]
    command += ["--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES)]
    command += ["--generation-deterministic", "--continue-on-failure", "--no-shrink", "--no-color"]
    command += [word for name in LEFT_OUT for word in ("--exclude-name", name)]
    with nothing_went_wrong(site):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    made = re.search(r"([\d,]+) generated, ([\d,]+) passed", done.stdout)
    assert made, done.stdout[-2000:]
    assert int(made[1].replace(",", "")) > LEAST_REQUESTS
