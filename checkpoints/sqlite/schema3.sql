-- Schema 3 adds what delta passes need: what the source has no more, the flags
-- that copies follow, and how folders stood when they were walked.

ALTER TABLE mailbox ADD COLUMN cutover TEXT NOT NULL DEFAULT ''; -- RFC 3339 in UTC; empty for none

-- uidvalidity is epoch << 32 | UIDVALIDITY from now on.
ALTER TABLE folder ADD COLUMN origin TEXT NOT NULL DEFAULT ''; -- the first path, if the folder was renamed
ALTER TABLE folder ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN walked_uidnext INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN walked_modseq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN walked_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN walked_rules TEXT NOT NULL DEFAULT '';

ALTER TABLE message ADD COLUMN vanished INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN flags INTEGER REFERENCES flagset; -- null if it is not known
UPDATE message SET vanished = 1 WHERE outcome = 6;

-- Equal content: also what was removed, since it may come back.
DROP INDEX message_digest;
CREATE INDEX message_digest ON message (mailbox, substr(digest, 1, 6)) WHERE outcome IN (1, 2, 3, 8);

CREATE TABLE flagset ( -- flags that many messages share
	id    INTEGER PRIMARY KEY,
	flags TEXT NOT NULL UNIQUE
) STRICT;

DROP VIEW messages;
CREATE VIEW messages AS
SELECT mailbox.source, folder.path, folder.uidvalidity & 0xffffffff AS uidvalidity, message.id & 0xffffffff AS uid,
	CASE message.outcome WHEN 0 THEN 'pending' WHEN 1 THEN 'copied' WHEN 2 THEN 'adopted' WHEN 3 THEN 'merged'
		WHEN 4 THEN 'excluded' WHEN 5 THEN 'failed' WHEN 6 THEN 'gone' WHEN 7 THEN 'moved' WHEN 8 THEN 'removed' END AS outcome,
	message.doubt, message.vanished, message.size, lower(hex(message.digest)) AS sha256,
	coalesce(substr(folder.base, 1, message.shared), '') || message.target AS target, flagset.flags,
	remark.notes, remark.reason, remark.hint, message.message_id
FROM message
JOIN folder ON folder.id = message.id >> 32
JOIN mailbox ON mailbox.id = folder.mailbox
LEFT JOIN flagset ON flagset.id = message.flags
LEFT JOIN remark ON remark.id = message.remark;
