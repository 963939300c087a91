"""The commands by which an administrator acts on services: each init system's own, and those that Debian puts before all of them."""

from dataclasses import dataclass

from machine import wait_until


@dataclass(frozen=True)
class FrontEnd:
    name: str
    before: tuple  # the words before and after "VERB NAME" or "NAME VERB"
    verb_first: bool = False
    # By `status`: what it exits with, or says, when the service runs and when it does not.
    running: object = 0
    stopped: object = 3

    def command(self, verb, service):
        words = [verb, service] if self.verb_first else [service, verb]
        if self.name == "init.d":
            return [f"/etc/init.d/{service}", verb]
        return [*self.before, *words]

    def __call__(self, machine, verb, service, code=0):
        return machine.run(*self.command(verb, service), code=code)

    def says(self, machine, service):
        """running, stopped, or all that it said."""
        finished = self(machine, "status", service, code=None)
        for answer in ("running", "stopped"):
            expected = getattr(self, answer)
            if finished.code == expected or (isinstance(expected, str) and finished.out.startswith(expected)):
                return answer
        return str(finished)


SYSTEMCTL = FrontEnd("systemctl", ("systemctl",), verb_first=True)
SERVICE = FrontEnd("service", ("service",))
INIT_D = FrontEnd("init.d", ())
INVOKE = FrontEnd("invoke-rc.d", ("invoke-rc.d",))
RC_SERVICE = FrontEnd("rc-service", ("rc-service",))
SV = FrontEnd("sv", ("sv",), verb_first=True, running="run:", stopped="down:")

STEWARD = FrontEnd("steward", ("steward",), verb_first=True)

FRONT_ENDS = {
    "systemd": [SYSTEMCTL, SERVICE],
    "sysv": [SERVICE, INIT_D, INVOKE],
    # Not service(8): Debian's marks a service of OpenRC as started before it calls it, and so nothing is started.
    "openrc": [RC_SERVICE, INIT_D],
    "runit": [SV],
}

ENABLE = {
    "systemd": "systemctl daemon-reload && systemctl enable {0}",
    "sysv": "update-rc.d {0} defaults",
    "openrc": "rc-update add {0} default",
    "runit": "ln -s /etc/sv/{0} /etc/service/{0}",
}
DISABLE = {
    "systemd": "systemctl disable {0}",
    "sysv": "update-rc.d {0} disable",
    "openrc": "rc-update del {0} default",
    "runit": "rm /etc/service/{0}",
}


def enable(machine, service):
    machine.sh(ENABLE[machine.system].format(service))
    if machine.system == "runit":
        # runsvdir looks every five seconds.
        wait_until(lambda: machine.run("test", "-p", f"/etc/service/{service}/supervise/ok", code=None).code == 0, f"runsv of {service}")


def forget_starts(machine, service):
    """systemd refuses a service that was started too often in a while, by an administrator too: tests are quicker than that."""
    if machine.system == "systemd":
        machine.run("systemctl", "reset-failed", service, code=None)


def disable(machine, service):
    machine.sh(DISABLE[machine.system].format(service))
