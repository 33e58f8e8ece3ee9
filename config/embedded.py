"""Candlestream on one machine without installing a server: `python -m config.embedded serve|demo`.

Starts Valkey, uvicorn, a Celery worker and the scheduler, loads a market if there is none, and ends them all
when it ends itself, however that happens.
"""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from config import processes
from config.home import Home, HomeInUseError
from config.processes import ChildError
from config.stack import BASE_DIR, DATA_SOURCE, Stack, StackError

DEFAULT_PORT = 8000
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Ended(BaseException):
    """A signal asked the launcher to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def choose_port(wanted: int | None) -> int:
    """The port to listen on: the wanted one, or the first free one from the default on.

    Raises
    ------
    StackError
        If the wanted port is taken.
    """
    if wanted is not None:
        if not processes.port_is_free(wanted):
            raise StackError(
                f"Port {wanted} is in use by another program. Choose another with PORT=, "
                "or leave PORT out to take the next free one."
            )
        return wanted
    port = next(port for port in range(DEFAULT_PORT, 65536) if processes.port_is_free(port))
    if port != DEFAULT_PORT:
        say(f"Port {DEFAULT_PORT} is in use by another program; taking {port}. PORT= chooses one.")
    return port


@contextlib.contextmanager
def ending_on_signals() -> Generator[None]:
    """Turn the signals that end a program into `Ended`, once: a second one can't break the clean-up."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for ending in ENDING_SIGNALS:
            signal.signal(ending, signal.SIG_IGN)
        raise Ended(number)

    for number in ENDING_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # which is what nohup sets
            signal.signal(number, end)
    yield


def say(line: str) -> None:
    """Tell the user something."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(line, flush=True)


@contextlib.contextmanager
def running(home: Home, *, port: int | None, data: Path | None) -> Generator[Stack]:
    """A stack with a market in it, ready for requests."""
    if data is not None and not data.exists():
        raise StackError(f"There is no {data}. DATA= names a folder of candle files, or one file.")
    if port is not None:
        choose_port(port)  # complains now rather than after an import
    with home.claimed():
        stack = Stack(home)
        try:
            say(f"Starting Candlestream in {_short(home.folder)}")
            stack.prepare(data)
            stack.start(choose_port(port))
            stack.wait_until_ready()
            yield stack
        finally:
            stack.end()


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def show_demo(stack: Stack, *, source: str | None, once: bool) -> int:
    """Run the terminal demo against the stack; its exit code."""
    wanted = ["--source", source] if source else []
    client = stack.attach("demo", "-m", "demo", stack.url, *wanted)
    try:
        code = stack.watch(client)
    finally:
        processes.end([client])
    if code == 0 and once:
        say("Ended with the run; `make serve` shows its results again.")
    elif code == 0:
        return serve(stack)
    return code


def serve(stack: Stack) -> int:
    """Keep serving until a signal says that it is enough; the exit code of a success."""
    stack.start_prices()
    stack.start_downloader()
    say(f"Serving at {stack.url} until Ctrl-C.")
    try:
        stack.serve()
    except Ended:
        return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("what", choices=["serve", "demo"])
    parser.add_argument(
        "--port", type=int, help=f"port on 127.0.0.1 (the first free one from {DEFAULT_PORT})"
    )
    parser.add_argument("--data", type=Path, help="folder of candle files to import")
    parser.add_argument("--once", action="store_true", help="demo: end when the run is complete")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run until the end and return the exit code."""
    options = parse_arguments(arguments)
    if os.environ.get("END_WITH_PARENT"):
        processes.end_with_parent()
    home = Home(Path(os.environ.get("CANDLESTREAM_HOME") or BASE_DIR / ".candlestream"))
    try:
        with ending_on_signals(), running(home, port=options.port, data=options.data) as stack:
            if options.what == "serve":
                return serve(stack)
            return show_demo(stack, source=DATA_SOURCE if options.data else None, once=options.once)
    except Ended as ended:
        return ended.exit_code
    except (StackError, HomeInUseError, ChildError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
