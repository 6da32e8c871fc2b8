"""Servers that people would pick instead, as Debian has them, with their flood and buffer limits off."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from benchmarks.servers.base import Server, installed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["INSPIRCD", "INSPIRCD_TAGS", "NGIRCD", "REDIS"]

_INSPIRCD = """
<server name="irc.test" description="bench" network="Bench">
<admin name="a" nick="a" email="a@irc.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="600" pingfreq="86400" threshold="100000000" commandrate="100000000"
         fakelag="off" hardsendq="2000000000" softsendq="2000000000" recvq="100000000"
         localmax="100000" globalmax="100000" maxchans="100" limit="100000"
         resolvehostnames="no" useident="no" useconnectban="no" useconnflood="no" nouserdns="yes">
<performance softlimit="100000" somaxconn="4096" quietbursts="yes" netbuffersize="65534">
<security maxtargets="20">
<dns server="127.0.0.1" timeout="1">
<pid file="{folder}/inspircd.pid">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/inspircd.log">
"""

_TAGS = """
<module name="cap">
<module name="ircv3_batch">
<module name="ircv3_ctctags">
<module name="ircv3_echomessage">
<module name="ircv3_labeledresponse">
<module name="ircv3_msgid">
<module name="ircv3_servertime">
"""

_NGIRCD = """
[Global]
Name = irc.test
Listen = 127.0.0.1
Ports = {port}
Info = bench
AdminInfo1 = bench
AdminEMail = a@irc.test
PidFile = {folder}/ngircd.pid
MotdPhrase = hello
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 24
MaxPenaltyTime = 0
PingTimeout = 86400
PongTimeout = 86400
[Options]
DNS = no
Ident = no
PAM = no
ScrubCTCP = no
"""

_REDIS = """
bind 127.0.0.1
port {port}
dir {folder}
save ""
appendonly no
maxclients 100000
tcp-backlog 4096
client-output-buffer-limit pubsub 0 0 0
"""


def _inspircd(modules: str, folder: Path, port: int) -> list[str]:
    program = installed("inspircd")
    config = folder / "inspircd.conf"
    config.write_text(_INSPIRCD.format(folder=folder, port=port) + modules)
    return [program, "--nofork", "--runasroot", f"--config={config}"]


def _ngircd(folder: Path, port: int) -> list[str]:
    program = installed("ngircd")
    config = folder / "ngircd.conf"
    config.write_text(_NGIRCD.format(folder=folder, port=port))
    return [program, "--nodaemon", "--config", str(config)]


def _redis(folder: Path, port: int) -> list[str]:
    program = installed("redis-server")
    config = folder / "redis.conf"
    config.write_text(_REDIS.format(folder=folder, port=port))
    return [program, str(config)]


# It lets people in once a second, all who wait then.
INSPIRCD = Server("inspircd", "irc", functools.partial(_inspircd, ""), 2000, "no flood, queue, class or DNS limits")
INSPIRCD_TAGS = Server(
    "inspircd-tags", "irc-tags", functools.partial(_inspircd, _TAGS), 2000, "the same, with all tags"
)
NGIRCD = Server("ngircd", "irc", _ngircd, at_once=8, settings="no connection, join or penalty limits")
REDIS = Server("redis", "redis", _redis, at_once=1000, settings="nothing saved, no output limit for Pub/Sub")
