"""What the README tells people to do works as written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.launcher.launched import ROOT, Launched

README = (ROOT / "README.md").read_text()
ADDRESS = "127.0.0.1:8000"
pytestmark = pytest.mark.timeout(400)


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run_text(words: list[str], code: str) -> str:
    done = subprocess.run(words, input=code, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_and_curl_examples_run_as_written(home: Path):
    with Launched(home, "serve") as launched:
        served = launched.wait_until_said("Serving at ").partition("http://")[2].partition("/")[0]
        (example,) = code_blocks("python")
        printed = run_text([sys.executable, "-"], example.replace(ADDRESS, served))
        assert len(re.findall(r"^[A-Z]+USDT -?\d", printed, re.MULTILINE)) == 3
        assert "'median_return'" in printed
        run = httpx.get(f"http://{served}/api/runs/", timeout=30).json()["results"][0]["id"]
        for block in code_blocks("sh") if shutil.which("curl") else []:
            if "curl " in block and ADDRESS in block:
                run_text(["sh", "-e"], fetching(block, served, run))


def fetching(block: str, served: str, run: str) -> str:
    """A block of curl commands for this server and run, which fail when the server refuses."""
    return (
        block.replace(ADDRESS, served)
        .replace("RUN", run)
        .replace("curl ", "curl --silent --fail --show-error ")
    )


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)", README))
def test_every_link_to_a_file_leads_somewhere(target: str):
    assert (ROOT / target).exists()


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    texts = README + (ROOT / "CONTRIBUTING.md").read_text()
    code = "\n".join(re.findall(r"`[^`]+`|^```sh\n.*?^```$", texts, re.MULTILINE | re.DOTALL))
    for name in re.findall(r"(?:^|`)make (?:-k )?([a-z]+)", code, re.MULTILINE):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name


def test_every_management_command_that_is_named_exists():
    listed = subprocess.run(
        [sys.executable, "manage.py", "help", "--commands"],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {*re.findall(r"manage\.py (\w+)", README)} <= {*listed.stdout.split()}
