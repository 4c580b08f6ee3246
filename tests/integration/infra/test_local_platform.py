"""The local platform's own rules: ports, settings, and what each supervised process may know."""

import configparser
import pathlib
import shlex
import socket

import pytest

from infra.local import launch, place, servers, supervisor
from infra.local.processes import PLATFORM, SERVER_NAMES, all_processes


@pytest.fixture
def checkout(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A state directory of this test alone, in every module that asks for it."""
    state = tmp_path / "state"
    for name in ("logs", "files", "run"):
        (state / name).mkdir(parents=True)
    for module in (place, servers, supervisor):
        monkeypatch.setattr(module, "state", lambda: state)
    return state


def _conf() -> configparser.RawConfigParser:
    supervisor.write_conf()
    parser = configparser.RawConfigParser()
    parser.read(supervisor.conf_file())
    return parser


def test_ports_are_free_distinct_and_remembered(checkout: pathlib.Path) -> None:
    ports = place.ports()
    assert len(set(ports.values())) == len(place.PORT_NAMES)
    assert all(place.is_free(port) for port in ports.values())
    assert place.ports() == ports


def test_a_stranger_on_a_port_makes_all_move_once_nothing_of_ours_runs(checkout: pathlib.Path) -> None:
    before = place.make_settings()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", place.ports()["amqp"]))
        stranger.listen()
        assert place.make_settings() == before
        after = place.make_settings(renew_ports_if_taken=True)
    assert after["PINGAN_BROKER_URL"] != before["PINGAN_BROKER_URL"]
    assert after["PINGAN_SECRET_KEY"] == before["PINGAN_SECRET_KEY"]


def test_settings_are_private_and_keep_what_was_changed_by_hand(checkout: pathlib.Path) -> None:
    place.make_settings()
    file = checkout / "env"
    assert file.stat().st_mode & 0o077 == 0
    file.write_text(file.read_text().replace("PINGAN_DEMO=1", "PINGAN_DEMO=0") + "PINGAN_SMS_URL='a b'\n")
    settings = place.make_settings()
    assert settings["PINGAN_DEMO"] == "0"
    assert settings["PINGAN_SMS_URL"] == "a b"
    assert place.load_settings() == settings


def test_the_configuration_names_every_process_once_and_never_gives_up(checkout: pathlib.Path) -> None:
    conf = _conf()
    programs = [section for section in conf.sections() if section.startswith("program:")]
    assert sorted(programs) == sorted(f"program:{process.name}" for process in all_processes())
    for program in programs:
        assert conf[program]["autorestart"] == "true"
        assert int(conf[program]["startretries"]) >= 1_000_000
        assert int(conf[program]["stopwaitsecs"]) == 25


def test_each_process_has_its_name_and_a_health_port_of_its_own(checkout: pathlib.Path) -> None:
    conf = _conf()
    environments = [conf[f"program:{process.name}"]["environment"] for process in PLATFORM]
    assert len({part for text in environments for part in text.split(",") if "HEALTH_PORT" in part}) == len(PLATFORM)
    for process, text in zip(PLATFORM, environments, strict=True):
        assert f'PINGAN_PROCESS="{process.name}"' in text


def test_no_secret_stands_in_the_configuration_and_servers_start_clean(checkout: pathlib.Path) -> None:
    settings, conf = place.make_settings(), _conf()
    text = supervisor.conf_file().read_text()
    assert settings["PINGAN_SECRET_KEY"] not in text
    assert place.secret("postgres") not in text
    for name in SERVER_NAMES:
        assert shlex.split(conf[f"program:{name}"]["command"])[:2] == ["/usr/bin/env", "-i"]


def test_a_process_starts_with_the_settings_of_the_moment_and_no_more_than_it_may_know(
    checkout: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = place.make_settings()
    monkeypatch.setenv("PINGAN_SECRET_KEY", "an older supervisor's")
    monkeypatch.setenv("PINGAN_PROCESS", "grid")
    environment = launch.environment()
    assert environment["PINGAN_SECRET_KEY"] == settings["PINGAN_SECRET_KEY"]
    assert environment["PINGAN_PROCESS"] == "grid"
    assert place.ADMIN_URL not in environment
    assert not [name for name in environment if name.endswith("_OWNER_DATABASE_URL")]


def test_a_process_of_an_instance_reads_the_settings_of_that_instance(
    checkout: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "INSTANCE", "other")
    conf = _conf()
    for process in PLATFORM:
        assert 'PINGAN_INSTANCE="other"' in conf[f"program:{process.name}"]["environment"].split(",")


def test_databases_stay_durable() -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert f"\n{setting} = on\n" in servers.POSTGRES_CONF
