-- Schema 4 adds what reports need: when each message came to its outcome, what
-- a person knows the notable ones by, all passes, what was read back, and the
-- log by which a report can be checked.

ALTER TABLE message ADD COLUMN settled INTEGER; -- seconds since 1970; null while pending, or not known

CREATE TABLE heading ( -- of what failed and of copies with notes
	message INTEGER PRIMARY KEY, -- message.id
	mailbox INTEGER NOT NULL,
	author  TEXT NOT NULL,
	date    INTEGER, -- seconds since 1970; null if unknown
	subject TEXT NOT NULL
) STRICT;

CREATE INDEX heading_mailbox ON heading (mailbox);

INSERT INTO heading (message, mailbox, author, subject)
SELECT message.id, mailbox, '', '' FROM message LEFT JOIN remark ON remark.id = message.remark
WHERE outcome = 5 OR outcome IN (1, 2, 3) AND remark.notes <> '';

CREATE TABLE pass (
	id       INTEGER PRIMARY KEY,
	mailbox  INTEGER NOT NULL REFERENCES mailbox,
	started  TEXT NOT NULL, -- RFC 3339 in UTC
	ended    TEXT NOT NULL, -- empty while it runs, or was killed
	complete INTEGER NOT NULL,
	error    TEXT NOT NULL,
	UNIQUE (mailbox, started)
) STRICT;

INSERT INTO pass (mailbox, started, ended, complete, error)
SELECT id, started, ended, complete, error FROM mailbox WHERE started <> '' ORDER BY id;

ALTER TABLE finding ADD COLUMN subject TEXT NOT NULL DEFAULT '';

CREATE TABLE replica ( -- what verification read back
	message INTEGER PRIMARY KEY, -- message.id
	digest  BLOB NOT NULL, -- SHA-256 of the canonical form
	time    INTEGER NOT NULL -- seconds since 1970
) STRICT;

CREATE TABLE entry ( -- of the log
	seq    INTEGER PRIMARY KEY, -- from 0, without gaps
	folder INTEGER NOT NULL, -- 0: the entry is of the folder id
	id     INTEGER NOT NULL, -- uid
	text   TEXT NOT NULL
) STRICT;

CREATE INDEX entry_latest ON entry (folder, id, seq);

CREATE TABLE head ( -- of the log, signed
	id   INTEGER PRIMARY KEY,
	note TEXT NOT NULL
) STRICT;

CREATE TABLE secret ( -- blinds the names in entries
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	octets BLOB NOT NULL
) STRICT;

-- The log only grows.
CREATE TRIGGER entry_changed BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries of the log stay as they are'); END;
CREATE TRIGGER entry_deleted BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries of the log stay'); END;
CREATE TRIGGER head_changed BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT, 'heads of the log stay as they are'); END;
CREATE TRIGGER head_deleted BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'heads of the log stay'); END;

DROP VIEW messages;
CREATE VIEW messages AS
SELECT mailbox.source, folder.path, folder.uidvalidity & 0xffffffff AS uidvalidity, message.id & 0xffffffff AS uid,
	CASE message.outcome WHEN 0 THEN 'pending' WHEN 1 THEN 'copied' WHEN 2 THEN 'adopted' WHEN 3 THEN 'merged'
		WHEN 4 THEN 'excluded' WHEN 5 THEN 'failed' WHEN 6 THEN 'gone' WHEN 7 THEN 'moved' WHEN 8 THEN 'removed' END AS outcome,
	datetime(message.settled, 'unixepoch') AS settled,
	message.doubt, message.vanished, message.size, lower(hex(message.digest)) AS sha256,
	coalesce(substr(folder.base, 1, message.shared), '') || message.target AS target, flagset.flags,
	remark.notes, remark.reason, remark.hint, message.message_id,
	heading.author, datetime(heading.date, 'unixepoch') AS date, heading.subject
FROM message
JOIN folder ON folder.id = message.id >> 32
JOIN mailbox ON mailbox.id = folder.mailbox
LEFT JOIN flagset ON flagset.id = message.flags
LEFT JOIN remark ON remark.id = message.remark
LEFT JOIN heading ON heading.message = message.id;

DROP VIEW findings;
CREATE VIEW findings AS
SELECT mailbox.source, finding.kind, folder.path, finding.uid, datetime(finding.date, 'unixepoch') AS date, finding.author, finding.subject,
	finding.message_id, finding.detail, coalesce(substr(folder.base, 1, finding.shared), '') || finding.target AS target
FROM finding
JOIN mailbox ON mailbox.id = finding.mailbox
LEFT JOIN folder ON folder.id = finding.folder;
