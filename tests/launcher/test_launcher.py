"""The launcher of the embedded stack: it serves, and leaves nothing behind however it ends."""

import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from config import embedded
from config.home import Home
from config.stack import StackError
from tests.launcher.launched import Launched, processes_of, wait_for

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal exists on Linux only"),
]
ENDED_SECONDS = 60
PROGRAMS = ("valkey-server", "uvicorn", "celery", "scheduler")


def served_url(launched: Launched) -> str:
    said = launched.wait_until_said("Serving at ")
    return said.partition("Serving at ")[2].split()[0]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)], ids=["TERM", "KILL"]
)
def test_a_signal_while_serving_ends_all_that_was_started(home: Path, number: int, code: int):
    with Launched(home, "serve") as launched:
        url = served_url(launched)
        assert httpx.get(f"{url}api/health/", timeout=30).json() == {"status": "ok"}
        running = processes_of(home).values()
        assert [name for name in PROGRAMS if not any(name in command for command in running)] == []
        assert sum("celery" in command for command in running) >= 2  # the worker and its pool
        assert any("--queues downloads" in command for command in running)
        launched.process.send_signal(number)
        assert launched.process.wait(ENDED_SECONDS) == code
        wait_for(lambda: not processes_of(home), ENDED_SECONDS)
    assert not (home / "processes.json").exists() or number == signal.SIGKILL


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL"])
def test_a_signal_while_starting_ends_all_that_was_started(home: Path, name: str):
    number = signal.Signals[name]
    with Launched(home, "serve") as launched:
        wait_for(lambda: any("config.prepare" in command for command in processes_of(home).values()), 60)
        launched.process.send_signal(number)
        assert launched.process.wait(ENDED_SECONDS) == (-number if number == signal.SIGKILL else 128 + number)
        wait_for(lambda: not processes_of(home), ENDED_SECONDS)
        assert "Traceback" not in launched.said


def test_a_second_launcher_is_told_who_holds_the_folder(home: Path):
    first = Home(home)
    with first.claimed():
        first.announce("http://127.0.0.1:8000/")
        with Launched(home, "serve") as second:
            assert second.process.wait(ENDED_SECONDS) == 1
            expected = f"already runs in {home} (process {os.getpid()} and serves http://127.0.0.1:8000/)"
            assert expected in second.said
            assert "Traceback" not in second.said


def test_a_server_that_dies_ends_the_rest_and_shows_its_log(home: Path):
    with Launched(home, "serve") as launched:
        served_url(launched)
        web = next(pid for pid, command in processes_of(home).items() if "uvicorn" in command)
        os.kill(web, signal.SIGKILL)
        assert launched.process.wait(ENDED_SECONDS) == 1
        assert "web ended unexpectedly with code -9" in launched.said
        assert "Uvicorn running on" in launched.said
        wait_for(lambda: not processes_of(home), ENDED_SECONDS)


def test_the_launcher_ends_with_the_make_that_started_it(home: Path):
    line = f"{sys.executable} -m config.embedded serve; true"  # the second command keeps the shell there
    with Launched(home, command=["sh", "-c", line], END_WITH_PARENT="1") as shell:
        served_url(shell)
        shell.process.kill()
        wait_for(lambda: not processes_of(home), ENDED_SECONDS)


def test_the_demo_runs_the_market_and_goes_on_serving_its_page_until_ctrl_c(home: Path):
    with Launched(home, "demo") as launched:
        said = launched.wait_until_said("Serving at ")
        page = said.partition("live page  ")[2].split()[0]
        assert httpx.get(page, timeout=30).status_code == 200
        launched.process.send_signal(signal.SIGINT)
        assert launched.process.wait(ENDED_SECONDS) == 0
        wait_for(lambda: not processes_of(home), ENDED_SECONDS)
    for words in (
        "RSI",
        "3 symbols · 1h",
        "generated sample",
        "/runs/",
        "3 of 3 succeeded",
        "median",
        "mean",
    ):
        assert words in said


def test_a_taken_port_is_skipped_unless_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(embedded, "DEFAULT_PORT", port)
        assert embedded.choose_port(None) > port
        assert f"Port {port} is in use by another program" in capsys.readouterr().out
        with pytest.raises(
            StackError, match=f"Port {port} is in use by another program. Choose another with PORT="
        ):
            embedded.choose_port(port)


def test_a_folder_of_candles_that_does_not_exist_ends_the_launcher_with_a_message(home: Path):
    with Launched(home, "demo", "--data", "no/such/folder") as launched:
        assert launched.process.wait(ENDED_SECONDS) == 1
        assert (
            launched.said
            == "There is no no/such/folder. DATA= names a folder of candle files, or one file.\n"
        )


def test_the_demo_of_a_folder_runs_on_its_candles_though_there_are_more_of_others(home: Path, tmp_path: Path):
    own_home = shutil.copytree(home, tmp_path / "home")
    data = tmp_path / "data"
    data.mkdir()
    rows = [f"{1_699_999_200 + hour * 3600},1,2,0.5,{1 + hour % 7 / 10},5" for hour in range(400)]
    (data / "ABCUSDT.csv").write_text("\n".join(["datetime,open,high,low,close,volume", *rows]))
    with Launched(own_home, "demo", "--once", "--data", str(data)) as launched:
        assert launched.process.wait(200) == 0, launched.said
    assert "1 symbols · 1h" in launched.said
    assert "1 of 1 succeeded" in launched.said
    assert "generated" not in launched.said


def test_a_port_that_was_asked_for_and_is_taken_ends_the_launcher_with_a_message(home: Path):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        Launched(home, "serve", "--port", str(taken.getsockname()[1])) as launched,
    ):
        assert launched.process.wait(ENDED_SECONDS) == 1
        (message,) = launched.said.splitlines()  # it has begun nothing that it would speak of
        assert "is in use by another program" in message
