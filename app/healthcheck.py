"""`python -IS healthcheck.py PATH`: exit 0 if the server in this container answers 200 there.

A healthcheck has to use what the image has: Python, not curl. It runs twice a second while the
container starts, so it imports next to nothing.
"""

import socket
import sys


def main() -> None:
    """Ask once."""
    path = sys.argv[1]
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", 8000), timeout=2) as connection:
            connection.sendall(request.encode())
            status_line = connection.makefile("rb").readline()
    except OSError as error:
        sys.exit(f"no answer: {error}")
    if status_line.split()[1:2] != [b"200"]:
        sys.exit(f"{path} answered {status_line!r}")


if __name__ == "__main__":
    main()
