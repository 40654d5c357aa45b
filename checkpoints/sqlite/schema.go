package sqlite

import (
	_ "embed"
	"fmt"
)

// schemaVersion is the schema that this program writes.
const schemaVersion = 2

var (
	//go:embed schema1.sql
	schema1 string
	//go:embed schema2.sql
	schema2 string
)

// upgrade returns the statements that bring a file from a schema to the
// present one; an empty file has schema 0. The caller runs them in one
// transaction, so that the file has either schema whenever a crash comes.
func upgrade(from int64) string {
	steps := [schemaVersion]string{schema1, schema2}
	var statements string
	for _, s := range steps[from:] {
		statements += s + "\n"
	}
	return statements + fmt.Sprintf("PRAGMA user_version = %d;\n", schemaVersion)
}
