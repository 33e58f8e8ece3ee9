"""All benchmarks, one after the other, each in a process of its own: `python -m benchmarks`, or some by name."""

import subprocess
import sys

NAMES = ("engine", "market_data", "runs", "watchers", "fairness", "prices")


def main(names: list[str]) -> int:
    """Run benchmarks by name and return how many failed."""
    unknown = set(names) - set(NAMES)
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}.")
    commands = [[sys.executable, "-m", f"benchmarks.{name}"] for name in names or NAMES]
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
