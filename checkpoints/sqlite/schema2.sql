-- Schema 2 adds the latest verification of each mailbox.

CREATE TABLE verification (
	mailbox INTEGER PRIMARY KEY REFERENCES mailbox,
	depth   TEXT NOT NULL,
	sample  TEXT NOT NULL,
	started TEXT NOT NULL, -- RFC 3339 in UTC
	ended   TEXT NOT NULL  -- empty while it runs, or was stopped
) STRICT;

CREATE TABLE verified ( -- what was counted in a folder
	folder    INTEGER PRIMARY KEY REFERENCES folder,
	mailbox   INTEGER NOT NULL,
	next      INTEGER NOT NULL,
	arrived   INTEGER NOT NULL,
	present   INTEGER NOT NULL,
	merged    INTEGER NOT NULL,
	held      INTEGER NOT NULL,
	new       INTEGER NOT NULL,
	compared  INTEGER NOT NULL,
	explained INTEGER NOT NULL,
	unread    INTEGER NOT NULL
) STRICT;

CREATE TABLE finding (
	id         INTEGER PRIMARY KEY,
	mailbox    INTEGER NOT NULL,
	kind       TEXT NOT NULL,
	folder     INTEGER NOT NULL, -- 0 for none, and so is uid
	uid        INTEGER NOT NULL,
	shared     INTEGER NOT NULL, -- the target id, as in message
	target     BLOB,
	detail     TEXT NOT NULL,
	message_id TEXT NOT NULL,
	author     TEXT NOT NULL,
	date       INTEGER -- seconds since 1970; null if unknown
) STRICT;

CREATE INDEX finding_mailbox ON finding (mailbox);

-- The findings as a person wants to see them.
CREATE VIEW findings AS
SELECT mailbox.source, finding.kind, folder.path, finding.uid, datetime(finding.date, 'unixepoch') AS date, finding.author, finding.message_id,
	finding.detail, coalesce(substr(folder.base, 1, finding.shared), '') || finding.target AS target
FROM finding
JOIN mailbox ON mailbox.id = finding.mailbox
LEFT JOIN folder ON folder.id = finding.folder;
