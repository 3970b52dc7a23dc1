"""The files that are edited while the demo runs: whom an edit concerns, and what is said of one."""

from dataclasses import replace
from pathlib import Path

import pytest

from hoplab.commands.live import files
from hoplab.topology import Mode, Topology
from tests.catalogue import CATALOGUE, ROOT

NGINX = Topology("nginx", "uvicorn", Mode.STRIP)
PRESERVE = Topology("nginx", "uvicorn", Mode.PRESERVE)
HYPERCORN = Topology("nginx", "hypercorn", Mode.STRIP)
SAID = """\
uvicorn ended instead of starting. The end of its log:
                 ^^^^^^^^^^
    File "/usr/lib/python3.11/importlib/__init__.py", line 126, in import_module
      return _bootstrap._gcd_import(name[level:], package, level)
             ^^^^^^^^^^^^^^^^^^^^^^
    File "<frozen importlib._bootstrap>", line 1204, in _gcd_import
    File "{copy}/app/plain.py", line 6, in <module>
      from app.shared import create_app
    File "/usr/lib/python3.11/site.py", line 1, in <module>
      import x
  ValueError: my own mistake"""


@pytest.mark.parametrize(
    ("edited", "topology", "concerned"),
    [
        ("nginx/strip.conf.template", NGINX, True),
        ("nginx/preserve.conf.template", NGINX, False),
        ("nginx/drop-forwarded.conf", NGINX, True),
        ("nginx/new.conf", NGINX, True),
        ("nginx/proxy.toml", NGINX, False),
        ("traefik/traefik.yaml", NGINX, False),
        ("app/shared.py", NGINX, True),
        ("app/static/hello.txt", NGINX, True),
        ("app/Dockerfile", NGINX, False),
        ("app/plain.py", NGINX, True),
        ("app/plain.py", PRESERVE, False),
        ("app/forwarded_prefix.py", NGINX, False),
        ("app/forwarded_prefix.py", PRESERVE, True),
        ("app/hypercorn/plain.py", NGINX, False),
        ("app/hypercorn/proxy_fix.py", HYPERCORN, True),
        ("app/removed.py", NGINX, True),
        ("app/__init__.py", NGINX, True),
    ],
)
def test_an_edit_concerns_those_who_run_with_the_file(
    edited: str, topology: Topology, *, concerned: bool
) -> None:
    deployment = CATALOGUE.recommended(topology)

    assert files.concerns(CATALOGUE, deployment, [ROOT / edited]) is concerned


def test_what_a_variation_serves_is_concerned() -> None:
    """Its module is named by a variable."""
    recipe = CATALOGUE.recommended(NGINX)
    deployment = replace(recipe, variation="sub-app-root-path")
    edited = [ROOT / "app/variations/sub_app_root_path.py"]

    assert files.concerns(CATALOGUE, deployment, edited)
    assert not files.concerns(CATALOGUE, recipe, edited)


def test_the_outer_one_of_two_proxies_concerns_as_well() -> None:
    deployment = replace(CATALOGUE.recommended(NGINX), variation="nginx-behind-traefik")
    sources = CATALOGUE.proxies["traefik"].sources(Mode.STRIP)

    assert files.concerns(CATALOGUE, deployment, sources)
    assert not files.concerns(CATALOGUE, CATALOGUE.recommended(NGINX), sources)


def test_a_copy_is_what_the_files_were(tmp_path: Path) -> None:
    copied = files.copied(CATALOGUE, tmp_path)

    assert copied.workspace.root == tmp_path
    for folder in files.folders(CATALOGUE):
        assert (tmp_path / folder.name).is_dir()
    assert all(proxy.folder.is_relative_to(tmp_path) for proxy in copied.proxies.values())


def test_a_traceback_has_the_persons_own_lines_with_their_own_names() -> None:
    copy = Path("/lab/runs/1")

    assert files.told(CATALOGUE, copy, SAID.format(copy=copy)) == (
        "uvicorn ended instead of starting. The end of its log:\n"
        f'    File "{ROOT}/app/plain.py", line 6, in <module>\n'
        "      from app.shared import create_app\n"
        "  ValueError: my own mistake"
    )


def test_what_an_editor_keeps_beside_a_file_is_not_copied(tmp_path: Path) -> None:
    """Emacs' link to nowhere would else make every copy fail."""
    catalogue = files.copied(CATALOGUE, tmp_path / "first")
    app = catalogue.workspace.root / files.APP
    (app / ".#plain.py").symlink_to("somebody@nowhere.1")
    (app / "plain.py~").write_text("")

    second = files.copied(catalogue, tmp_path / "second").workspace.root / files.APP

    assert (second / "plain.py").is_file()
    assert not [name for name in (".#plain.py", "plain.py~") if (second / name).is_symlink()]
    assert not (second / "plain.py~").exists()
