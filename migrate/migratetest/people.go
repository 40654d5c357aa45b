package migratetest

import (
	"math"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

type person struct{ name, address string }

func people() []person {
	return []person{
		{"Anna Berg", "anna.berg@example.com"},
		{"Bruno Keller", "bruno.keller@example.com"},
		{"Chiyo Tanabe", "chiyo.tanabe@example.com"},
		{"Dolores Ibarra", "dolores@accounts.example.net"},
		{"Ernst Fink", "e.fink@example.org"},
		{"Fatima Azzouz", "fatima.azzouz@example.net"},
		{"Grace Holloway", "grace+office@example.org"},
		{"Henrik Solberg", "henrik@north.example.com"},
		{"Ines Carvalho", "ines.carvalho@example.net"},
		{"Jules Mercier", "jules.mercier@example.org"},
	}
}

// A language has words to fill a text with, and names that need its charset.
type language struct {
	charset string // the old one; every language can be UTF-8 too
	names   []string
	words   []string
	joined  bool // written without spaces
}

func english() language {
	return language{"us-ascii", []string{"Kim Lowell", "Robin Ashford"}, strings.Fields(
		`the a of and to in for with on we you please invoice meeting contract draft project offer
		delivery schedule report budget office client order attached tomorrow review signed before after
		question answer thanks regards number copy update change plan team server mail print room call`), false}
}

func german() language {
	return language{"iso-8859-1", []string{"Jörg Müller", "Käthe Groß", "Söhnke Brüggemann"}, strings.Fields(
		`der die das und für über möchte können Grüße Angebot Rechnung Lieferung Verträge Größe Straße
		bitte Prüfung nächste Woche später früher geöffnet schließen Büro Übersicht Änderung ausführen
		Maßnahme zurück hören gemäß außerdem täglich Gespräch Termin Anhang Stück`), false}
}

func french() language {
	return language{"iso-8859-1", []string{"Hélène Lefèvre", "François Nollet"}, strings.Fields(
		`le la les et pour réunion été façon où déjà très bientôt pièce jointe équipe numéro modèle
		après demain matin société élève reçu prêt contrôle qualité référence crédit garçon`), false}
}

func japanese() language {
	return language{"shift_jis", []string{"田辺 千代", "森本 健"}, strings.Fields(
		`会議 資料 送付 いたします 確認 よろしく お願い 来週 予定 契約 見積 ください 東京 案件 報告 本日 以上 請求書 テスト です ます`), true}
}

func russian() language {
	return language{"koi8-r", []string{"Ольга Белова", "Павел Жуков"}, strings.Fields(
		`и на для с договор счёт встреча пожалуйста завтра отчёт проект письмо спасибо срок поставка
		вопрос ответ офис новый план проверка заказ`), false}
}

func pickOne[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// sentence returns n words of the language.
func (l language) sentence(r *rand.Rand, n int) string {
	ws := make([]string, n)
	for i := range ws {
		ws[i] = pickOne(r, l.words)
	}
	if l.joined {
		return strings.Join(ws, "")
	}
	return strings.Join(ws, " ")
}

// prose returns about size octets of paragraphs in lines of at most 72
// characters, with CRLF.
func (l language) prose(r *rand.Rand, size int) string {
	var b strings.Builder
	column, words := 0, 0
	for b.Len() < size {
		w := pickOne(r, l.words)
		n := utf8.RuneCountInString(w)
		switch {
		case words > 0 && r.IntN(60) == 0:
			b.WriteString(".\r\n\r\n")
			column = 0
		case column+n+1 > 72:
			b.WriteString("\r\n")
			column = 0
		case column > 0 && !l.joined:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += n
		words++
	}
	b.WriteString(".\r\n")
	return b.String()
}

// sized returns a size in octets around median with a long tail, at most limit.
func sized(r *rand.Rand, median, spread float64, limit int) int {
	return min(int(median*math.Exp(r.NormFloat64()*spread)), limit)
}
