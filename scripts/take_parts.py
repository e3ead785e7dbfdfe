"""Puts the parts of the page that were cut off into dist/, without the names of their functions and with a hash in their
own names: take_parts.py DIST PARTS."""

import hashlib
import pathlib
import re
import sys

LINK = "__wasm_split.js"


def leb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def without_names(data):
    """A module without its custom sections. https://webassembly.github.io/spec/core/binary/modules.html"""
    out, at = [data[:8]], 8
    while at < len(data):
        section = data[at]
        size, start = leb(data, at + 1)
        if section != 0:
            out.append(data[at : start + size])
        at = start + size
    return b"".join(out)


def named(path, data):
    return f"{path.stem}-{hashlib.sha256(data).hexdigest()[:16]}{path.suffix}"


def main(dist, parts):
    link = (parts / LINK).read_text()
    for path in parts.glob("*.wasm"):
        data = without_names(path.read_bytes())
        name = named(path, data)
        assert f'"./{path.name}"' in link, f"{LINK} does not name {path.name}"
        link = link.replace(f'"./{path.name}"', f'"./{name}"')
        (dist / name).write_bytes(data)
    imported = f'from "./{LINK}"'
    asks = [path for path in dist.glob("*.js") if imported in path.read_text()]
    assert len(asks) == 1, f"{len(asks)} scripts of the page ask for {LINK}"
    # The script of the page has got its hash meanwhile.
    link, count = re.subn(r'import \{ initSync \} from "[^"]*"', f'import {{ initSync }} from "./{asks[0].name}"', link)
    assert count == 1, f"{LINK} imports the script of the page {count} times"
    name = named(pathlib.Path("parts.js"), link.encode())
    (dist / name).write_text(link)
    # Only where it is fetched from: to the module it keeps the name.
    asks[0].write_text(asks[0].read_text().replace(imported, f'from "./{name}"'))


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
