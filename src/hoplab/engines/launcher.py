"""Starts many ASGI servers fast: imports them once, then forks for each deployment.

`python -m hoplab.engines.launcher MODULES SERVER …` imports MODULES (names, with spaces) as well.
It reads one JSON object a line on standard input,
`{"command": […], "environment": {…}, "directory": …, "modules": …, "log": …, "stay": …,
"exec": …}`, and answers each with a line, `{"log": …, "pid": …}`: the process's number. The log's
name tells whose answer it is, if one was not waited for. `modules` is the folder that has the
application's modules. The fork calls the server's own console script with the command's arguments,
so that a deployment is what its command line says; with `exec`, it becomes that script.

`stay`: the process outlives the launcher. Otherwise it gets SIGTERM when the launcher ends (Linux).
"""

import gc
import importlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

from hoplab.catalogue.servers import without_settings
from hoplab.system.lifeline import die_with_parent


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: let none be a zombie
    for module in sys.argv[1].split():
        with suppress(Exception):  # its deployments will say so; the others are none the worse
            importlib.import_module(module)
    for server in sys.argv[2:]:
        with suppress(Exception):
            _console_script(server)
    gc.freeze()  # a collection in a fork would write to, and so copy, every page
    for line in sys.stdin:
        deployment = json.loads(line)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(deployment, parent)
        sys.stdout.write(json.dumps({"log": deployment["log"], "pid": pid}) + "\n")
        sys.stdout.flush()


def _console_script(name: str) -> Any:
    (script,) = entry_points(group="console_scripts", name=name)
    return script.load()


def _become(deployment: Mapping[str, Any], parent: int) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if deployment["stay"]:
        os.setsid()
    else:
        die_with_parent(parent)
    me = os.getpid()
    os.register_at_fork(after_in_child=lambda: die_with_parent(me))  # a server's own workers
    log = os.open(deployment["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    environment = {**without_settings(os.environ), **deployment["environment"]}
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(deployment["directory"])
    sys.path[0] = deployment["modules"]  # which is where the launcher was started, or a copy of it
    if deployment["exec"]:
        name, *arguments = deployment["command"]
        beside = Path(sys.executable).with_name(name)
        program = str(beside) if beside.is_file() else shutil.which(name)
        if program is None:
            os.write(2, f"There is no program {name}.\n".encode())
            os._exit(1)
        os.execv(program, [program, *arguments])  # noqa: S606
    sys.argv = deployment["command"]
    code: object = 1
    try:
        code = _console_script(sys.argv[0])()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
