"""close-gateway, and python -m gateway."""

import sys

try:  # before all that takes time to import; what this itself needs takes some, too
    from gateway.interrupts import heed

    heed()
except KeyboardInterrupt:
    sys.exit(130)


def main() -> None:
    """Run the command."""
    from gateway.cli import main

    main(prog_name="close-gateway")


if __name__ == "__main__":
    main()
