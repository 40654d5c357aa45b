package assess

import (
	"embed"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

//go:embed texts/*.toml
var texts embed.FS

// A Catalogue explains risks in one language.
type Catalogue struct{ texts locale.Texts }

// NewCatalogue returns that of a language.
func NewCatalogue(l *locale.Language) (Catalogue, error) {
	t, err := locale.Load(texts, l)
	return Catalogue{t}, err
}

// An Explanation is what people are told of a kind of risk.
type Explanation struct {
	Title   string // a few words
	What    string // it is
	Default string // what happens if nothing is done
	Remedy  string // what can be done
}

// Explain returns the explanation of a risk with that key.
func (c Catalogue) Explain(key string) Explanation {
	text := func(part string) string { return c.texts.Text(key + "." + part) }
	return Explanation{text("title"), text("what"), text("default"), text("remedy")}
}

// Severity names a severity.
func (c Catalogue) Severity(s Severity) string { return c.texts.Text("severity." + string(s)) }
