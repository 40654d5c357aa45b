#!/usr/bin/env python3
"""Checks a report of mailhaul without mailhaul. proof.md says what is checked, and why.

    python3 check_report.py report.json report.pub [earlier/report.json ...]

report.pub has the public keys, one in a line, and must have come by another way than the
report. The log and the other files are looked for beside the report. Nothing but Python 3.9
or later is needed. It stops at the first thing that is wrong. Exit code: 0 good, 1 not.
"""
import base64, gzip, hashlib, json, os, re, sys, time

OUTCOMES = "pending copied adopted merged excluded failed gone moved removed".split()
N, B64, HEX = "(0|[1-9][0-9]{0,18})", "([A-Za-z0-9+/]{43}=)", "([0-9a-f]{64})"
SOME = "(-|(?!0{64})[0-9a-f]{64})"
TARGET = "(?:-|%2D|(?:[!-$&-~]|%(?:[01][0-9A-F]|20|25|7F|[89A-F][0-9A-F]))+)"
FOLDER = re.compile(f"folder {N} {N} {N} {HEX} {HEX} {HEX}")
MESSAGE = re.compile(f"message {N} {N} ({'|'.join(OUTCOMES)}) {N} {N} {SOME} {SOME} {TARGET}")
HEAD = re.compile(f"([A-Za-z0-9._/~-]{{1,100}})\n{N}\n{B64}\nreport {B64}\n(?:previous {B64}\n)?"
                  "made ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z)\n\n— ([^ \n]+) ([A-Za-z0-9+/=]+)\n")

def need(ok, what):
    if not ok:
        raise ValueError(what)

def sha256(octets):
    return hashlib.sha256(octets).digest()

def unbase64(text):
    octets = base64.b64decode(text, validate=True)
    need(base64.b64encode(octets).decode() == text, "base64 in another spelling than its own")
    return octets

# Ed25519, RFC 8032 section 5.1. A point is (X, Y, Z, T) with x = X/Z, y = Y/Z and xy = T/Z.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, -1, P) % P

def plus(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * CURVE, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        q, p, n = plus(q, p) if n & 1 else q, plus(p, p), n >> 1
    return q

def point(octets):
    sign, y = octets[31] >> 7, int.from_bytes(octets, "little") & (1 << 255) - 1
    x2 = (y * y - 1) * pow(CURVE * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if (x * x - x2) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    need((x * x - x2) % P == 0, "the key is no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
def signed_by(key, text, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % L
    x, y, z, _ = plus(times(s, BASE), times(L - k, point(key)))
    x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
    return len(signature) == 64 and s < L and (y | (x & 1) << 255).to_bytes(32, "little") == r

def read_keys(text):
    keys = {}
    for name, number, key in (line.split("+", 2) for line in text.split()):
        octets = unbase64(key)
        need(len(octets) == 33 and octets[0] == 1, "a key is none of Ed25519")
        need(sha256(f"{name}\n".encode() + octets)[:4].hex() == number, "a key does not fit its number")
        keys[name, bytes.fromhex(number)] = octets[1:]
    need(keys, "there is no public key")
    return keys

def open_head(signed, keys):
    m = HEAD.fullmatch(signed)
    need(m, "a head is none, or in another spelling than its own")
    origin, size, root, report, previous, made, signer, signature = m.groups()
    time.strptime(made, "%Y-%m-%dT%H:%M:%SZ")
    octets = unbase64(signature)
    need(origin == signer and (signer, octets[:4]) in keys, "a head is not signed with the given key")
    text = signed[:signed.index("\n\n") + 1]
    need(signed_by(keys[signer, octets[:4]], text.encode(), octets[4:]), "a signature is not valid")
    head = dict(size=int(size), root=unbase64(root), report=unbase64(report), made=made, previous=previous and unbase64(previous))
    need(head["size"] <= 2**40 and head["previous"] != bytes(32), "a head is malformed")
    return head

def whole(text):
    need(text != "-0", "-0 is no whole number")
    return int(text)

def once(pairs):
    need(len(dict(pairs)) == len(pairs), "an object has a member twice")
    return dict(pairs)

def number(row, key):
    need(type(row[key]) is int, f"{key} is no whole number")
    return row[key]

def sums(row):
    return {key: number(row, key) for key in ["listed"] + OUTCOMES}

def root_of(peaks):
    root = peaks[-1] if peaks else sha256(b"")
    for left in reversed(peaks[:-1]):
        root = sha256(b"\x01" + left + root)
    return root

def read_log(path, size, sizes):
    """Returns the names of folders, the latest outcome of each message, and the root at each of the sizes."""
    folders, latest, peaks, roots, n = {}, {}, [], {}, 0
    with gzip.open(path, "rb") as log:
        while True:
            if n in sizes:
                roots[n] = root_of(peaks)
            line = log.readline(4097)
            if not line:
                break
            need(n < size and line.endswith(b"\n"), f"entry {n} is too long, breaks off, or is one too many")
            f, m = FOLDER.fullmatch(line[:-1].decode()), MESSAGE.fullmatch(line[:-1].decode())
            if f:
                need(0 < int(f[1]) < 2**63 and int(f[2]) < 2**32 and int(f[3]) < 2**31, f"entry {n} is malformed")
                folders[int(f[1])] = [bytes.fromhex(name) for name in f.groups()[3:]]
            else:
                need(m and 0 < int(m[2]) < 2**32 and int(m[4]) <= 2**40 and int(m[5]) < 2**63, f"entry {n} is malformed")
                need(int(m[1]) in folders, f"entry {n} is of a folder that no entry before it is about")
                latest[int(m[1]), int(m[2])] = m[3]
            node, level, n = sha256(b"\x00" + line[:-1]), n, n + 1
            while level & 1:
                node, level = sha256(b"\x01" + peaks.pop() + node), level >> 1
            peaks.append(node)
    return folders, latest, roots

def check(path, keys, earlier=()):
    """Raises an error unless the report is good."""
    with open(path, "rb") as f:
        octets = f.read()
    start = octets.rfind(b"\n", 0, -1) + 1
    report = json.loads(octets.decode(), object_pairs_hook=once, parse_int=whole, parse_constant=whole)
    need(report["format"] == "mailhaul-report" and number(report, "version") == 1, "this is no report of version 1")
    need("draft" not in report, "the report is a draft: it is not signed and proves nothing")
    keys, signed = read_keys(keys), [*(report.get("heads") or []), report["head"]]
    need(octets[start:].decode() == '"head":"' + signed[-1].replace("\n", "\\n") + '"}\n', "the last line is not the head")
    heads = [open_head(s, keys) for s in signed]
    need(heads[-1]["report"] == sha256(octets[:start]), "the report was changed after it was signed")
    need(heads[0]["previous"] is None, "the first head is chained to another")
    for i in range(1, len(heads)):
        need(heads[i]["previous"] == sha256(signed[i - 1].encode()), f"report {i + 1} is not chained to the one before it")
        need(heads[i]["size"] >= heads[i - 1]["size"] and heads[i]["made"] >= heads[i - 1]["made"], f"report {i + 1} is older than the one before it")
    need(all(e in signed for e in earlier), "an earlier report that was given is none of those before this one")

    log, beside = report["log"], os.path.dirname(os.path.abspath(path))
    for f in [{"name": log["file"], "sha256": log["sha256"]}] + report.get("files", []):
        need(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", f["name"]), "a file is not beside the report")
        if f["name"] != log["file"] and not os.path.exists(os.path.join(beside, f["name"])):
            print(f["name"], "is not there")
            continue
        with open(os.path.join(beside, f["name"]), "rb") as file:
            need(sha256(file.read()).hex() == f["sha256"], f"{f['name']} is not the file that the report was made with")
    size = heads[-1]["size"]
    need(number(log, "entries") == size, "the report says another size of its log than its head")
    folders, latest, roots = read_log(os.path.join(beside, log["file"]), size, {h["size"] for h in heads})
    for i, h in enumerate(heads):
        need(roots.get(h["size"]) == h["root"], f"the log is not that of report {i + 1}, or does not begin with it")

    counts = {folder: dict.fromkeys(["listed"] + OUTCOMES, 0) for folder in folders}
    for (folder, _), outcome in latest.items():
        counts[folder]["listed"] += 1
        counts[folder][outcome] += 1
    total, owners, rows = {}, set(), report.get("folders", [])
    need(sorted(number(r, "folder") for r in rows) == sorted(folders), "the folders are not those of the log")
    for r in rows:
        names, mailbox = folders[r["folder"]], number(r, "mailbox")
        need(sums(r) == counts[r["folder"]], f"the sums of folder {r['folder']} are not those of the log")
        total[mailbox] = {k: n + total.get(mailbox, {}).get(k, 0) for k, n in sums(r).items()}
        owners.add((mailbox, names[0] + names[1]))
        for kind, name in zip(["source", "target", "path"], names):
            nonce, value = r.get(kind + "_nonce"), r.get(kind + "_name") or ""
            if nonce:
                need(re.fullmatch(HEX, nonce) and sha256(bytes.fromhex(nonce) + "\0".join([value] if kind != "path" else value).encode()) == name,
                     f"folder {r['folder']} has another {kind} in the log")
    need(len(owners) == len({o[0] for o in owners}) == len({o[1] for o in owners}), "a folder is of another mailbox in the log")
    rows = {number(r, "mailbox"): sums(r) for r in report.get("mailboxes", [])}
    need(len(rows) == len(report.get("mailboxes", [])) and all(s == total.get(m, dict.fromkeys(s, 0)) for m, s in rows.items())
         and rows.keys() >= total.keys(), "the mailboxes are not the sums of their folders")
    exceptions = [(number(r, "folder"), number(r, "uid")) for r in report.get("exceptions", [])]
    need(sorted(exceptions) == sorted(m for m, outcome in latest.items() if outcome == "failed"), "the exceptions are not what failed in the log")
    return heads[-1]["made"], size, len(latest), len(heads) - 1

if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        earlier = [json.load(open(e, "rb"))["head"] for e in sys.argv[3:]]
        result = check(sys.argv[1], open(sys.argv[2]).read(), earlier)
        print("Good: made %s; %d entries about %d messages; earlier reports: %d." % result)
    except Exception as e:  # whatever is wrong, the report is not good
        sys.exit(f"Not good: {e if type(e) is ValueError else repr(e)[:300]}")
