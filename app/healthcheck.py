"""`python -m app.healthcheck PATH`: exit 0 if the server in this container answers 200 there.

A healthcheck has to use what the image has: Python, not curl.
"""

import http.client
import sys


def main() -> None:
    """Ask once."""
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=2)
    try:
        connection.request("GET", sys.argv[1])
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"no answer: {error}")
    if status != http.client.OK:
        sys.exit(f"{sys.argv[1]} answered {status}")


if __name__ == "__main__":
    main()
