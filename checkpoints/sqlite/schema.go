package sqlite

import (
	_ "embed"
	"fmt"
)

// schemaVersion is the schema that this program writes.
const schemaVersion = 3

var (
	//go:embed schema1.sql
	schema1 string
	//go:embed schema2.sql
	schema2 string
	//go:embed schema3.sql
	schema3 string
)

// upgrade returns the statements that bring a file from a schema to the
// present one; an empty file has schema 0. The caller runs them in one
// transaction, so that the file has either schema whenever a crash comes.
func upgrade(from int64) string {
	steps := [schemaVersion]string{schema1, schema2, schema3}
	var statements string
	for _, s := range steps[from:] {
		statements += s + "\n"
	}
	return statements + fmt.Sprintf("PRAGMA user_version = %d;\n", schemaVersion)
}

// shadow shows a connection a file of schema 1 or 2 as if it had the present
// one, and leaves the file as it is. What schema 2 added is asked for only
// where it is.
const shadow = `
CREATE TEMP VIEW mailbox AS SELECT *, '' AS cutover FROM main.mailbox;
CREATE TEMP VIEW folder AS SELECT *, '' AS origin, 0 AS gone, 0 AS walked_uidnext, 0 AS walked_modseq, 0 AS walked_messages, '' AS walked_rules FROM main.folder;
CREATE TEMP VIEW message AS SELECT *, outcome = 6 AS vanished, NULL AS flags FROM main.message;
CREATE TEMP TABLE flagset (id INTEGER PRIMARY KEY, flags TEXT NOT NULL);
`
