"""What the demo asks of its servers: MongoDB's replica set, and Godwit over its REST API. Python's own library only."""
import argparse
import json
import pathlib
import socket
import struct
import sys
import time
import urllib.error
import urllib.request


# MongoDB, as little of its protocol as one command needs.

def to_bson(document):
    out = b""
    for name, value in document.items():
        key = name.encode() + b"\0"
        if isinstance(value, bool):
            out += b"\x08" + key + struct.pack("<?", value)
        elif isinstance(value, int):
            out += b"\x10" + key + struct.pack("<i", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            out += b"\x02" + key + struct.pack("<i", len(text)) + text
        elif isinstance(value, dict):
            out += b"\x03" + key + to_bson(value)
        elif isinstance(value, list):
            out += b"\x04" + key + to_bson({str(i): v for i, v in enumerate(value)})
        else:
            raise TypeError(name)
    return struct.pack("<i", len(out) + 5) + out + b"\0"


def from_bson(data):
    """The members that this file asks for: booleans, numbers, strings, documents, arrays; the others as None."""
    document, at = {}, 4
    while data[at]:
        kind, end = data[at], data.index(0, at + 1)
        name, at = data[at + 1:end].decode(), end + 1
        if kind in (2, 13, 14):
            size = 4 + struct.unpack_from("<i", data, at)[0]
            value = data[at + 4:at + size - 1].decode()
        elif kind in (3, 4):
            size = struct.unpack_from("<i", data, at)[0]
            value = from_bson(data[at:at + size])
            value = list(value.values()) if kind == 4 else value
        else:
            size = {1: 8, 5: 5, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8}[kind]
            if kind == 5:
                size += struct.unpack_from("<i", data, at)[0]
            form = {1: "<d", 8: "<?", 16: "<i", 18: "<q"}.get(kind)
            value = struct.unpack_from(form, data, at)[0] if form else None
        document[name], at = value, at + size
    return document


def mongo(port, command):
    body = struct.pack("<iiiIB", 1, 0, 2013, 0, 0) + to_bson({**command, "$db": "admin"})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack("<i", len(body) + 4) + body)
        reader = connection.makefile("rb")
        size = struct.unpack("<i", reader.read(4))[0]
        return from_bson(reader.read(size - 4)[17:])


def until(what, seconds, attempt):
    """The first answer that is not None."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            answer = attempt()
            if answer is not None:
                return answer
        except OSError as error:
            last = error
        time.sleep(0.05)
    sys.exit(f"error: {what} did not come up in {seconds} s" + (f": {last}" if last else ""))


def replica_set(port):
    """One member under the port of this run, whatever port the run before had."""
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    answer = until("MongoDB", 60, lambda: mongo(port, {"replSetGetConfig": 1}))
    if "config" not in answer:
        answer = mongo(port, {"replSetInitiate": {"_id": "godwit", "members": [member]}})
    elif [m["host"] for m in answer["config"]["members"]] != [member["host"]]:
        config = {"_id": "godwit", "version": answer["config"]["version"] + 1, "members": [member]}
        answer = mongo(port, {"replSetReconfig": config, "force": True})
    if answer["ok"] != 1:
        sys.exit(f"error: MongoDB's replica set: {answer.get('errmsg')}")
    until("MongoDB's replica set", 60, lambda: mongo(port, {"hello": 1}).get("isWritablePrimary") or None)


# Godwit.

class Api:
    def __init__(self, base):
        self.base = base

    def __call__(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                text = response.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            sys.exit(f"error: {method} {path} answered {error.code}: {error.read().decode()}")


def health(a):
    def up():
        try:
            with urllib.request.urlopen(a.api + "/actuator/health", timeout=5) as response:
                return response.status == 200 or None
        except urllib.error.HTTPError:
            return None
    until("Godwit", 1, up)


def prepare(a):
    """The project, the saved connections, a first job; each only where it is missing."""
    api = Api(a.api)
    file = json.loads(pathlib.Path(a.project).read_text())
    name = file["project"]["name"]
    projects = [p for p in api("GET", "/api/v1/project") if p["name"] == name]
    project = projects[0] if projects else api("POST", "/api/v1/project/import", file)
    source = {"type": "POSTGRESQL", "url": a.source, "user": "shop", "password": "shop"}
    saved = {
        "jdbc": {"name": "Demo shop (PostgreSQL)", "savePassword": True, "environmentTag": "DEMO", **source},
        "mongodb": {"name": "Demo shop (MongoDB)", "connectionString": a.mongo, "environmentTag": "DEMO"},
    }
    for kind, connection in saved.items():
        address = "url" if kind == "jdbc" else "connectionString"
        for old in api("GET", f"/api/v1/connections/{kind}"):
            if old["name"] == connection["name"]:
                if old[address] == connection[address]:
                    break
                # The run before had another port.
                api("DELETE", f"/api/v1/connections/{kind}/{old['id']}")
        else:
            api("POST", f"/api/v1/connections/{kind}", connection)
    jobs = api("GET", f"/api/v1/jobs?projectId={project['id']}")
    # A continuous job of the run before goes on by itself.
    if any(j["status"] in ("RUNNING", "PAUSED", "CLEANING_UP") for j in jobs) or (jobs and not a.wait):
        return
    job = api("POST", "/api/v1/jobs", {
        "projectId": project["id"], "jdbcConnectionDetails": source, "mongodbConnectionDetails": {"connectionString": a.mongo},
        "options": {"mode": "CDC", "dropCollections": True, "prepareSource": True},
        "verification": {"enabled": False}})
    if a.wait:
        tell(wait(api, job["id"], lambda status: status.get("cdcStatus") == "RUNNING"))


def complete(a):
    """Completes the continuous jobs that run, and tells how they went."""
    api = Api(a.api)
    for job in api("GET", "/api/v1/jobs"):
        if job["status"] == "RUNNING":
            api("POST", f"/api/v1/jobs/{job['id']}/stop")
            status = wait(api, job["id"], lambda status: False)
            s = status.get("cdcStatistics", {})
            print(f"changes {status['cdcStatus']}: {s.get('totalEventsSeen', 0)} row changes, {s.get('rootsRebuilt', 0)} documents "
                  f"assembled again, {s.get('documentsDeleted', 0)} deleted, up to {s.get('position')}")
            if status["status"] != "COMPLETED":
                sys.exit(f"error: {json.dumps(status.get('failureError'))}")


def wait(api, job, is_enough):
    while True:
        status = api("GET", f"/api/v1/jobs/{job}")
        if status["status"] in ("COMPLETED", "FAILED", "CANCELLED") or is_enough(status):
            return status
        time.sleep(0.05)


def tell(status):
    s = status["statistics"]
    seconds = max(s["elapsedMs"] / 1000, 1e-3)
    print(f"snapshot: {s['totalEventsSeen']} rows, {s['documentsWritten']} documents, "
          f"{s['bytesWritten'] / 1e6:.1f} MB in {seconds:.2f} s: {s['totalEventsSeen'] / seconds:.0f} rows/s, "
          f"{s['bytesWritten'] / 1e6 / seconds:.1f} MB/s, {s['errors']} errors, {s['warnings']} warnings")
    for update in status.get("jobUpdates", []):
        print(f"  {update['eventType']} {update.get('locationName', '')} {update['message']} (x{update['count']})")
    if status["status"] not in ("COMPLETED", "RUNNING"):
        sys.exit(f"error: {json.dumps(status.get('failureError'))}")


def free_port(a):
    for port in range(a.first, a.first + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return print(port)
    sys.exit(f"error: no free port from {a.first} on")


parser = argparse.ArgumentParser(description=__doc__)
commands = parser.add_subparsers(required=True)
command = commands.add_parser("free-port")
command.add_argument("first", type=int)
command.set_defaults(run=free_port)
command = commands.add_parser("replica-set")
command.add_argument("port", type=int)
command.set_defaults(run=lambda a: replica_set(a.port))
command = commands.add_parser("health")
command.add_argument("api")
command.set_defaults(run=health)
command = commands.add_parser("prepare")
command.add_argument("--wait", action="store_true", help="run a job in any case, wait for it and print how it went")
for option in ("--api", "--project", "--source", "--mongo"):
    command.add_argument(option, required=True)
command.set_defaults(run=prepare)
command = commands.add_parser("complete")
command.add_argument("--api", required=True)
command.set_defaults(run=complete)
arguments = parser.parse_args()
arguments.run(arguments)
