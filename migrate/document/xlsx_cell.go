package document

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/mattn/go-runewidth"
)

// A cell is a value as a sheet has it.
type cell struct {
	kind   kind
	text   string // of a number, as XML has it
	format string // of the number; "" for a text
}

type kind byte

const (
	isEmpty kind = iota
	isText
	isHeading // a text above numbers
	isNumber
)

// Codes of formats (ISO/IEC 29500-1, 18.8.30 and 18.8.31). Programs show them
// with the separators, and the first two with the order, of their own settings.
const (
	dayFormat      = "mm-dd-yy"
	timeFormat     = "m/d/yy h:mm"
	countFormat    = "#,##0"
	numberFormat   = "#,##0.00"
	percentFormat  = "0.00%"
	durationFormat = "[h]:mm:ss"
)

// cell makes a cell of a value.
func (b *book) cell(v Value) (cell, error) {
	switch v := v.(type) {
	case nil:
		return cell{}, nil
	case string:
		return textCell(v), nil
	case bool:
		return textCell(b.texts.Text(map[bool]string{false: "no", true: "yes"}[v])), nil
	case int64:
		return countCell(v), nil
	case Bytes:
		return countCell(int64(v)), nil
	case float64:
		return numberCell(v, numberFormat), nil
	case Percent:
		return numberCell(float64(v), percentFormat), nil
	case time.Time:
		return b.time(v), nil
	case Date:
		return timeCell(time.Time(v), dayFormat, time.DateOnly), nil
	case time.Duration:
		return numberCell(v.Hours()/24, durationFormat), nil
	case Money:
		return b.money(v)
	case Term:
		return textCell(v.Text), nil
	case List:
		return textCell(strings.Join(v, "; ")), nil
	}
	return cell{}, fmt.Errorf("a value cannot be a %T", v)
}

func textCell(s string) cell {
	if s == "" {
		return cell{}
	}
	return cell{isText, shown(s), ""}
}

func countCell(n int64) cell { return cell{isNumber, strconv.FormatInt(n, 10), countFormat} }

// numberCell is empty for what a sheet has no number for.
func numberCell(v float64, format string) cell {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return cell{}
	}
	return cell{isNumber, strconv.FormatFloat(v, 'f', -1, 64), format}
}

func (b *book) time(t time.Time) cell { return timeCell(t.In(b.zone), timeFormat, time.DateTime) }

// timeCell is the days since the end of 1899 by the clock of t's own zone. Excel
// takes 1900 for a leap year and knows no year after 9999: what is before March
// 1900 or after that year is a text.
func timeCell(t time.Time, format, layout string) cell {
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset) - time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	if format == dayFormat {
		seconds -= seconds % 86400
	}
	if seconds < 61*86400 || t.Year() > 9999 {
		return textCell(t.Format(layout))
	}
	return numberCell(float64(seconds)/86400, format)
}

// money takes from the language how many decimals a currency has and on which
// side of the amount it stands.
func (b *book) money(m Money) (cell, error) {
	for _, r := range m.Currency {
		if r < 'A' || r > 'Z' {
			return cell{}, fmt.Errorf("a currency cannot be %q", m.Currency)
		}
	}
	zero := b.d.Language.Money(0, m.Currency)
	decimals := strings.Count(zero, "0") - 1
	format, currency := countFormat, `[$`+m.Currency+`]`
	if decimals > 0 {
		format += "." + strings.Repeat("0", decimals)
	}
	if strings.HasPrefix(zero, m.Currency) {
		format = currency + " " + format
	} else {
		format += " " + currency
	}
	return numberCell(float64(m.Minor)/math.Pow10(decimals), format), nil
}

// width is how many digits wide a cell is shown.
func (c cell) width() int {
	switch {
	case c.kind == isText || c.kind == isHeading:
		return new(runewidth.Condition).StringWidth(c.text) // whatever the language of the machine is
	case c.format == timeFormat:
		return len("2026-11-22 15:17")
	case c.kind == isNumber:
		return min(len(c.text)*4/3, 12) + len(c.format)/2
	}
	return 0
}

// escaped writes a text in XML. A program reads _x0041_ as the character with
// that number (ISO/IEC 29500-1, 22.9.2.19), and LibreOffice _x41_ too. So the
// underscore before an x is written in that way itself.
func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(strings.ReplaceAll(s, "_x", "_x005F_x"))) // a Builder takes all
	return b.String()
}

// cut keeps at most that many characters in UTF-16.
func cut(s string, most int) string {
	for i, r := range s {
		if most -= utf16.RuneLen(r); most < 0 {
			return s[:i]
		}
	}
	return s
}
