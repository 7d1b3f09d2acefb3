"""What goes wrong around a service: a database server of its own that can be crashed, a proxy that cuts connections, and a load
whose every acknowledgement is in a ledger."""

import contextlib
import glob
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

import signers
from harness import Service
from kill_campaign import CLIENTS, Ledger, Round

SERVER_PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OwnPostgres:
    """A server that nobody else uses, so that it may be crashed; with `of`, the standby of that one, which from then on tells of
    no COMMIT that its standby does not have."""

    def __init__(self, of=None):
        self.folder, self.port = tempfile.mkdtemp(prefix="own-postgres-"), free_port()
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres")
        if of is None:
            self._run("initdb", "-D", self.folder + "/data", "-U", "connectord", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        else:
            self._run("pg_basebackup", "-D", self.folder + "/data", "-d", of.url, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
        self.start()
        self.url = f"postgresql://connectord@127.0.0.1:{self.port}/postgres"
        if of is not None:
            of.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
            of.query("SELECT pg_reload_conf()")

    def _run(self, program, *arguments):
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*user, os.path.join(SERVER_PROGRAMS[-1], program), *arguments], check=True, cwd=self.folder,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)

    def start(self):
        self._run("pg_ctl", "-D", self.folder + "/data", "-l", self.folder + "/log", "-w", "-t", "100", "-o",
                  f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder}", "start")

    def crash(self):
        """As kill -9 of every process of the server does: what is not in its log is gone."""
        self._run("pg_ctl", "-D", self.folder + "/data", "-m", "immediate", "-w", "-t", "100", "stop")

    def promote(self):
        self._run("pg_ctl", "-D", self.folder + "/data", "-w", "-t", "100", "promote")

    def query(self, sql):
        return subprocess.run(["psql", "-XqAt", "-d", self.url, "-c", sql], check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def close(self):
        if os.path.exists(self.folder + "/data/postmaster.pid"):
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def held_for_writers(store, table):
    """Somebody else holds what every write to the table needs."""
    if store.kind == "sqlite":
        holder = sqlite3.connect(store.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
        holder.close()
        return
    holder = subprocess.Popen(["psql", "-XqAt", "-d", store.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
    holder.stdin.flush()
    assert holder.stdout.readline().strip() == "held"
    yield
    holder.communicate("ROLLBACK;\n", timeout=10)


class CuttingProxy:
    """Passes bytes on to `port`, new connections to what `target` is then. Of the messages that hold `mark` it cuts the connection at each that `chance` picks: one half of
    them never arrives, the other half arrives and nobody hears of it."""

    def __init__(self, port, mark, chance, seed):
        self.target, self.mark, self.chance, self.rng = port, mark, chance, random.Random(seed)
        self.before, self.after, self.lock = 0, 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # there is none at the moment
                client.close()
                continue
            for link in (client, server):
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            deaf = threading.Event()
            threading.Thread(target=self._out, args=(client, server, deaf), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client, deaf), daemon=True).start()

    def _fate(self, data):
        with self.lock:
            if self.mark not in data or self.rng.random() >= self.chance:
                return None
            if self.rng.random() < 0.5:
                self.before += 1
                return "before"
            self.after += 1
            return "after"

    def _out(self, client, server, deaf):
        try:
            while data := client.recv(65536):
                fate = self._fate(data)
                if fate == "before":
                    break
                if fate == "after":
                    deaf.set()
                server.sendall(data)
        except OSError:
            pass
        if not deaf.is_set():  # else the server has its answer still to give
            end(client)
            end(server)

    def _back(self, server, client, deaf):
        try:
            while (data := server.recv(65536)) and not deaf.is_set():
                client.sendall(data)
        except OSError:
            pass
        end(client)
        end(server)

    def close(self):
        self.listener.close()


def end(link):
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Patient:
    """A service, for a client that comes again when a 503 says so. What a store that was away leaves behind is connections that each
    find out once."""

    def __init__(self, service, patience=30):
        self.service, self.patience = service, patience

    def __getattr__(self, name):
        return getattr(self.service, name)

    def call(self, *arguments, **options):
        until = time.monotonic() + self.patience
        while (answer := self.service.call(*arguments, **options)).status == 503 and time.monotonic() < until:
            time.sleep(int(answer.headers["Retry-After"]))
        return answer

    pages = Service.pages


class Load(Round):
    """Deliveries of several clients at a time while something happens; then the counts of what was lost, duplicated, invented or
    torn, after everything that was not acknowledged was sent again."""

    def __init__(self, service, folder, seed):
        super().__init__(Patient(service), Ledger(os.path.join(folder, "ledger")), random.Random(seed))

    def during(self, happening):
        threads = [threading.Thread(target=self.client, args=(self.rng.random(),)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            happening()
        finally:
            self.ending.set()
            for thread in threads:
                thread.join()

    @property
    def acknowledged(self):
        return len(self.ledger.acknowledged.get(self.tenant, {}))

    def retry(self):
        told = self.ledger.acknowledged.setdefault(self.tenant, {})
        for number in self.ledger.sent.get(self.tenant, {}):
            if number not in told:
                body = self.body(number)
                answer = self.service.call("POST", f"/webhooks/example/{self.tenant}", body, token=None,
                                           headers=signers.example(body, delivery=f"d-{number}"))
                assert answer.status == 202, answer
                self.changed += not self.ledger.acknowledge(self.tenant, number, answer.json)

    def counts(self):
        self.retry()
        found = self.verify()
        found["torn"] += self.sample_receipts()
        return found


NOTHING = {"lost": 0, "duplicated": 0, "phantom": 0, "torn": 0}
