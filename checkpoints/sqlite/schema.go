package sqlite

import (
	_ "embed"
	"fmt"
)

// schemaVersion is the schema that this program writes.
const schemaVersion = 4

var (
	//go:embed schema1.sql
	schema1 string
	//go:embed schema2.sql
	schema2 string
	//go:embed schema3.sql
	schema3 string
	//go:embed schema4.sql
	schema4 string
)

// upgrade returns the statements that bring a file from a schema to the
// present one; an empty file has schema 0. The caller runs them in one
// transaction, so that the file has either schema whenever a crash comes.
func upgrade(from int64) string {
	steps := [schemaVersion]string{schema1, schema2, schema3, schema4}
	var statements string
	for _, s := range steps[from:] {
		statements += s + "\n"
	}
	return statements + fmt.Sprintf("PRAGMA user_version = %d;\n", schemaVersion)
}

// shadow returns the statements that show a connection a file of an older
// schema as if it had the present one, and leave the file as it is. What schema
// 2 added is asked for only where it is.
func shadow(schema int64) string {
	older, columns := "", ""
	if schema < 3 {
		older, columns = shadow3, ", outcome = 6 AS vanished, NULL AS flags"
	}
	return older + fmt.Sprintf(shadow4, columns)
}

const shadow3 = `
CREATE TEMP VIEW mailbox AS SELECT *, '' AS cutover FROM main.mailbox;
CREATE TEMP VIEW folder AS SELECT *, '' AS origin, 0 AS gone, 0 AS walked_uidnext, 0 AS walked_modseq, 0 AS walked_messages, '' AS walked_rules FROM main.folder;
CREATE TEMP TABLE flagset (id INTEGER PRIMARY KEY, flags TEXT NOT NULL);
`

// shadow4 is a format: the columns of message that schema 3 added, if it did not.
const shadow4 = `
CREATE TEMP VIEW message AS SELECT *%s, NULL AS settled FROM main.message;
CREATE TEMP VIEW heading AS SELECT message.id AS message, mailbox, '' AS author, NULL AS date, '' AS subject
	FROM main.message LEFT JOIN remark ON remark.id = message.remark WHERE outcome = 5 OR outcome IN (1, 2, 3) AND remark.notes <> '';
CREATE TEMP VIEW pass AS SELECT id, id AS mailbox, started, ended, complete, error FROM main.mailbox WHERE started <> '';
CREATE TEMP VIEW finding AS SELECT *, '' AS subject FROM main.finding;
CREATE TEMP TABLE replica (message INTEGER PRIMARY KEY, digest BLOB NOT NULL, time INTEGER NOT NULL);
CREATE TEMP TABLE entry (seq INTEGER PRIMARY KEY, folder INTEGER NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TEMP TABLE head (id INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TEMP TABLE secret (id INTEGER PRIMARY KEY, octets BLOB NOT NULL);
`
