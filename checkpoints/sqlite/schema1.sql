-- Schema 1 of a migration's checkpoints. docs/checkpoints.md explains all schemas.

CREATE TABLE mailbox (
	id       INTEGER PRIMARY KEY,
	source   TEXT NOT NULL,
	target   TEXT NOT NULL,
	position TEXT NOT NULL DEFAULT '',
	started  TEXT NOT NULL DEFAULT '', -- RFC 3339 in UTC; empty for never
	ended    TEXT NOT NULL DEFAULT '',
	complete INTEGER NOT NULL DEFAULT 0,
	error    TEXT NOT NULL DEFAULT '',
	hint     TEXT NOT NULL DEFAULT '',
	UNIQUE (source, target)
) STRICT;

CREATE TABLE folder (
	id          INTEGER PRIMARY KEY,
	mailbox     INTEGER NOT NULL REFERENCES mailbox,
	path        TEXT NOT NULL, -- '/Clients/2019\/20': see joinList
	uidvalidity INTEGER NOT NULL,
	role        TEXT NOT NULL,
	uidnext     INTEGER NOT NULL,
	messages    INTEGER NOT NULL,
	bytes       INTEGER NOT NULL,
	noselect    INTEGER NOT NULL,
	placed      TEXT NOT NULL,
	target      TEXT NOT NULL,
	name        TEXT NOT NULL,
	note        TEXT NOT NULL,
	listed      INTEGER NOT NULL DEFAULT 0,
	base        BLOB, -- the first target id of the folder; its messages' ids are stored as what differs
	UNIQUE (mailbox, path, uidvalidity)
) STRICT;

CREATE TABLE message (
	id         INTEGER PRIMARY KEY, -- folder << 32 | uid
	mailbox    INTEGER NOT NULL,
	outcome    INTEGER NOT NULL, -- 0 pending 1 copied 2 adopted 3 merged 4 excluded 5 failed 6 gone
	doubt      INTEGER NOT NULL,
	size       INTEGER NOT NULL,
	digest     BLOB,    -- SHA-256; null before the message was read
	shared     INTEGER NOT NULL DEFAULT 0, -- how many octets of folder.base the target id begins with
	target     BLOB,    -- and the octets that follow them; null if there is no target id
	remark     INTEGER REFERENCES remark,
	message_id TEXT
) STRICT;

-- Equal content: what is at the target, and what may be. Six octets of a
-- digest tell messages apart well enough; the query compares the rest.
CREATE INDEX message_digest ON message (mailbox, substr(digest, 1, 6)) WHERE outcome IN (1, 2, 3);
CREATE INDEX message_doubt ON message (mailbox, substr(digest, 1, 6)) WHERE doubt = 1;

CREATE TABLE remark ( -- texts that many messages share
	id     INTEGER PRIMARY KEY,
	notes  TEXT NOT NULL,
	reason TEXT NOT NULL,
	hint   TEXT NOT NULL,
	UNIQUE (notes, reason, hint)
) STRICT;

-- The messages as a person wants to see them.
CREATE VIEW messages AS
SELECT mailbox.source, folder.path, folder.uidvalidity, message.id & 0xffffffff AS uid,
	CASE message.outcome WHEN 0 THEN 'pending' WHEN 1 THEN 'copied' WHEN 2 THEN 'adopted' WHEN 3 THEN 'merged'
		WHEN 4 THEN 'excluded' WHEN 5 THEN 'failed' WHEN 6 THEN 'gone' END AS outcome,
	message.doubt, message.size, lower(hex(message.digest)) AS sha256,
	coalesce(substr(folder.base, 1, message.shared), '') || message.target AS target,
	remark.notes, remark.reason, remark.hint, message.message_id
FROM message
JOIN folder ON folder.id = message.id >> 32
JOIN mailbox ON mailbox.id = folder.mailbox
LEFT JOIN remark ON remark.id = message.remark;
