package document

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// libreOffice converts the workbook of d to CSV and returns the cells of its
// sheets.
func libreOffice(t *testing.T, d *Document) map[string][][]string {
	t.Helper()
	office, err := exec.LookPath("soffice")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), "libreoffice") {
			t.Fatal("LibreOffice is not installed")
		}
		t.Skip("LibreOffice is not installed")
	}
	dir := t.TempDir()
	var b bytes.Buffer
	if err := d.WriteXLSX(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "book.xlsx"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// Commas, quotes, UTF-8, from the first line on, English; numbers as they are
	// shown, formulas as their results, all sheets.
	const filter = "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,true,true,false,false,-1"
	c := exec.CommandContext(t.Context(), office, "--headless", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"),
		"--convert-to", filter, "--outdir", dir, filepath.Join(dir, "book.xlsx"))
	c.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "book-*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no sheets: %v", err)
	}
	sheets := map[string][][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(bytes.NewReader(text))
		r.FieldsPerRecord = -1
		r.LazyQuotes = true
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "book-"), ".csv")
		sheets[name] = rows
	}
	return sheets
}

func TestLibreOfficeShowsWhatIsInAWorkbook(t *testing.T) {
	sheets := libreOffice(t, workings(t))
	for row, want := range []string{
		"Name|Messages|Size (bytes)|Rate|Share|Seen|Day|Took (h:mm:ss)|Price|Yen|State|Labels|Whole",
		"INBOX|1,234,567|98,765,432,109|12.50|12.50%|11/23/2026 0:30|11/22/2026|26:03:09|EUR 1,234.56|JPY 5,000|complete|a; b, c|yes",
		"Sent|0|0|0.00|100.00%|11/23/2006 0:30|11/22/2006|0:00:00|-EUR 0.05|JPY 0|not complete||no",
		"||||||||||||",
		"||||||||||||",
		"Total|1,234,567|98,765,432,109||||||EUR 1,234.51||||",
	} {
		if got := strings.Join(sheets["Folders"][row], "|"); got != want {
			t.Errorf("row %d is\n%s\nwant\n%s", row+1, got, want)
		}
	}
	if got := len(sheets["Folders"]); got != 6 {
		t.Errorf("there are %d rows", got)
	}
	for _, name := range []string{"Summary", "Exceptions", "Speed", "Waves", "Raw"} {
		if sheets[name] == nil {
			t.Errorf("there is no sheet %s", name)
		}
	}
}

func TestLibreOfficeTakesHostileTextsForTexts(t *testing.T) {
	d := table(t, "Texts")
	rows := make([][]Value, len(hostile))
	for i, s := range hostile {
		rows[i] = []Value{s}
	}
	d.Sections[0].Blocks[0].(*Table).Rows = rowsOf(rows...)
	got := libreOffice(t, d)["Texts"]
	if len(got) != len(rows)+1 {
		t.Fatalf("there are %d rows, want %d", len(got), len(rows)+1)
	}
	for i, row := range rows {
		if want := shown(row[0].(string)); got[i+1][0] != want {
			t.Errorf("row %d is %.80q, want %.80q", i, got[i+1][0], want)
		}
	}
	if sheets := libreOffice(t, infested(t)); len(sheets) < 3*len(hostile) {
		t.Errorf("a document of nothing but hostile texts has %d sheets", len(sheets))
	}
}
