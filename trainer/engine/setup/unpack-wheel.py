"""Unpacks chosen files of a wheel into a folder and checks each against the hash in the wheel's RECORD.

Usage: unpack-wheel.py WHEEL FOLDER PATTERN...   (a PATTERN is a regular expression matched from the start of the name)
Prints "done TOTAL" lines in bytes; exits 2 with one line on stderr when the wheel is damaged.
"""
import base64
import csv
import hashlib
import io
import os
import re
import sys
import zipfile

CHUNK = 4 * 1024 * 1024


def main():
    wheel, folder, patterns = sys.argv[1], sys.argv[2], [re.compile(p) for p in sys.argv[3:]]
    with zipfile.ZipFile(wheel) as archive:
        recorded = read_record(archive)
        members = [m for m in archive.infolist() if not m.is_dir() and any(p.match(m.filename) for p in patterns)]
        if not members:
            fail("it holds none of the expected files")
        total, done = sum(m.file_size for m in members), 0
        for member in members:
            target = os.path.realpath(os.path.join(folder, member.filename))
            if not target.startswith(os.path.realpath(folder) + os.sep):
                fail(member.filename + " would leave the target folder")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            digest = hashlib.sha256()
            with archive.open(member) as source, open(target, "wb") as sink:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    sink.write(chunk)
                    done += len(chunk)
                    print(done, total, flush=True)
            found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            if recorded.get(member.filename) != "sha256=" + found:
                fail("the hash of " + member.filename + " differs from the recorded one")


def read_record(archive):
    name = next((n for n in archive.namelist() if n.endswith(".dist-info/RECORD")), None)
    if name is None:
        fail("it has no RECORD")
    return {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(name).decode())) if len(row) >= 2}


def fail(reason):
    print(reason, file=sys.stderr)
    sys.exit(2)


try:
    main()
except (zipfile.BadZipFile, EOFError) as error:
    fail("it is not a complete wheel (" + str(error) + ")")
