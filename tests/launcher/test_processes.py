"""Child processes that end with their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import processes
from config.home import Home, HomeInUseError
from config.processes import ChildError
from tests.launcher.launched import wait_for

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); time.sleep(60)",
]
PARENT = """
import sys, time
from config import processes
child = processes.start("sleep", [sys.executable, "-c", "import time; time.sleep(60)"])
print(child.process.pid, flush=True)
time.sleep(60)
"""

ENDED_IN_A_FORK = """
import os, signal
from config import processes
class Ended(BaseException): pass
def end(*_): raise Ended
signal.signal(signal.SIGTERM, end)
os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGTERM))
try:
    processes.start("sleep", ["sleep", "60"])
except Ended:
    print("ended")
try:
    os.wait()
except ChildProcessError:
    print("without a child")
"""


def test_a_child_dies_when_its_parent_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert processes.identity(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: processes.identity(child) is None, 30)


def test_a_signal_in_the_middle_of_a_start_is_not_lost():
    parent = subprocess.run(
        [sys.executable, "-c", ENDED_IN_A_FORK], check=False, capture_output=True, text=True, timeout=60
    )
    assert parent.stdout.splitlines() == ["ended", "without a child"]


def test_a_child_does_not_inherit_that_signals_are_held(tmp_path: Path):
    mask = "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    child = processes.start("mask", [sys.executable, "-c", mask], log=tmp_path / "log")
    child.process.wait()
    assert child.last_lines() == "set()"


def test_another_servers_answer_is_not_taken_for_a_childs():
    child = processes.start("short", [sys.executable, "-c", ""])
    child.process.wait()
    with pytest.raises(ChildError, match="something else answered"):
        processes.wait_until(lambda: True, child)


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path):
    child = processes.start("stubborn", STUBBORN, log=tmp_path / "log")
    wait_for(lambda: child.last_lines() == "up", 30)
    started = time.monotonic()
    processes.end([child], grace_seconds=0.3)
    assert child.process.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - started < 30


def test_grandchildren_end_with_the_child():
    shell = processes.start("shell", ["sh", "-c", "sleep 60 & wait"])
    wait_for(lambda: len(members(shell.process.pid)) == 2, 30)
    processes.end([shell], grace_seconds=1)
    wait_for(lambda: not members(shell.process.pid), 30)


def members(group: int) -> list[int]:
    """The living processes of a group."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgid = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgid) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def test_a_child_that_ends_while_starting_is_reported_with_its_log(tmp_path: Path):
    child = processes.start(
        "broken", [sys.executable, "-c", "print('no such table'); exit(3)"], log=tmp_path / "log"
    )
    with pytest.raises(ChildError, match=r"broken ended with code 3 while starting[\s\S]*no such table"):
        processes.wait_until(lambda: False, child)


def test_a_folder_is_held_by_one_launcher_at_a_time(tmp_path: Path):
    first, second = Home(tmp_path), Home(tmp_path)
    with first.claimed():
        first.announce("http://127.0.0.1:8000/")
        with pytest.raises(HomeInUseError, match=rf"process {os.getpid()} and serves http://127.0.0.1:8000/"):
            second.claimed().__enter__()
    with second.claimed():
        pass


def test_what_a_killed_launcher_left_running_is_ended_at_the_next_start(tmp_path: Path):
    left = processes.start("left", SLEEP)
    home = Home(tmp_path)
    home.remember([left])
    with home.claimed():
        assert left.process.wait(30) == -signal.SIGKILL


def test_a_process_that_merely_has_a_remembered_number_is_left_alone(tmp_path: Path):
    innocent = processes.start("innocent", SLEEP)
    home = Home(tmp_path)
    (tmp_path / "processes.json").write_text(f'{{"{innocent.process.pid}": "an earlier start"}}')
    try:
        with home.claimed():
            time.sleep(0.2)
            assert not innocent.has_ended
    finally:
        processes.end([innocent], grace_seconds=0)


@pytest.mark.parametrize("rubbish", ["", "not json", "[1, 2]"])
def test_a_half_written_note_of_a_killed_launcher_does_not_block_the_next(tmp_path: Path, rubbish: str):
    (tmp_path / "processes.json").write_text(rubbish)
    with Home(tmp_path).claimed():
        pass


def test_the_secret_of_a_folder_stays_the_same_and_is_its_owners(tmp_path: Path):
    assert Home(tmp_path).secret_key() == Home(tmp_path).secret_key()
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
