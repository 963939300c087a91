"""A server that takes its sockets from whoever starts it (sd_listen_fds(3)), and clients that notice when nobody listens."""

import random
import socket
import threading

SERVER = """
import os, select, socket, sys
assert os.environ["LISTEN_PID"] == str(os.getpid()), os.environ
names = os.environ["LISTEN_FDNAMES"].split(":")
sockets = [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]
assert len(names) == len(sockets), names
while True:
    for ready in select.select(sockets, [], [])[0]:
        answer = f"{os.getpid()} {names[sockets.index(ready)]}".encode()
        if ready.type == socket.SOCK_DGRAM:
            ready.sendto(answer, ready.recvfrom(100)[1])
        else:
            with ready.accept()[0] as connection:
                connection.sendall(answer)
"""


def free_port(kind=socket.SOCK_STREAM, host="127.0.0.1"):
    """Below the ports that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port


def ask(address, timeout=60):
    """What the server says of itself: its PID and the socket's name. None: it took the connection and died of something."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(timeout)
        connection.connect(address)
        try:
            answer = b""
            while part := connection.recv(100):
                answer += part
        except ConnectionResetError:
            return None
    pid, _, name = answer.decode().partition(" ")
    return (int(pid), name) if name else None


class Clients:
    """Connect again and again, all the time; `faults` has what must not happen."""

    def __init__(self, *addresses):
        self.faults = []
        self.answers = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.connect, args=(address,), daemon=True) for address in addresses]

    def connect(self, address):
        while not self.over.is_set():
            try:
                if answer := ask(address):
                    self.answers.append(answer)
            except OSError as fault:
                self.faults.append(repr(fault))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def count(self):
        return len(self.answers)
