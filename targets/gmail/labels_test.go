package gmail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

func TestAMailboxOfTenThousandLabelsTakesNoMoreFolders(t *testing.T) {
	_, target := inside(t, gmailsim.Options{}, Config{})
	fs := []migrate.Folder{{Path: []string{"INBOX"}}}
	for i := range 9_999 {
		fs = append(fs, migrate.Folder{Path: []string{fmt.Sprintf("Folder %04d", i)}})
	}
	fs = append(fs, migrate.Folder{Path: []string{"Sent"}, Role: migrate.RoleSent})
	made := 0
	for range 2 {
		made = 0
		for i, place := range placed(t, target, fs) {
			e, refused := errors.AsType[*migrate.Error](place.Err)
			switch {
			case !refused && place.ID != "":
				made++
				fs[i].Placed = place.ID
			case e.Class != migrate.Permanent || !strings.Contains(e.Hint, "10,000 labels"):
				t.Fatalf("%s: %#v", fs[i], e)
			}
		}
		// The simulator counts the labels that every mailbox has.
		if made < 9_980 || made >= len(fs) || fs[0].Placed != inbox || fs[len(fs)-1].Placed != sent {
			t.Errorf("%d of %d folders have a place", made, len(fs))
		}
	}
	if names := labelNames(t, target); len(names) != made-2 {
		t.Errorf("there are %d labels, want %d", len(names), made-2)
	}
}

func TestATreeTwentyFoldersDeepHasAllItsLabels(t *testing.T) {
	for name, test := range map[string]struct {
		part string
		same bool // no label has another name than its folder
	}{
		"short": {"Level %02d", true},            // 179 characters in all
		"long":  {"A folder, level %02d", false}, // 399
		"wide":  {"\U0001F4C1 Ordner %02d", false},
	} {
		_, server := serve(t, gmailsim.Options{})
		target := open(t, config(server))
		var fs []migrate.Folder
		var path []string
		for i := range 20 {
			path = append(path, fmt.Sprintf(test.part, i+1))
			fs = append(fs, migrate.Folder{Path: append([]string(nil), path...)})
		}
		places := placed(t, target, []migrate.Folder{fs[19]}) // the lowest alone: those above are made for it
		if places[0].Err != nil {
			t.Fatal(name, places[0].Err)
		}
		ids := map[migrate.FolderID]bool{}
		places = placed(t, target, fs)
		for i, place := range places {
			ids[place.ID] = true
			if same := place.Name == strings.Join(fs[i].Path, "/"); place.Err != nil || length(place.Name) > maxName || same != (place.Note == "") || test.same && !same {
				t.Errorf("%s: level %d is %+v", name, i+1, place)
			}
			if !strings.HasSuffix(place.Name, fs[i].Path[i]) {
				t.Errorf("%s: level %d is called %q", name, i+1, place.Name)
			}
		}
		names := labelNames(t, target)
		if len(ids) != 20 || len(names) != 20 {
			t.Errorf("%s: %d places, %d labels", name, len(ids), len(names))
		}
		for label := range names {
			if i := strings.LastIndexByte(label, '/'); i >= 0 && !names[label[:i]] {
				t.Errorf("%s: nothing stands above %q", name, label)
			}
		}
	}
}

// localised returns names of Gmail's own places, one for each of 73 languages
// and regions that Gmail speaks.
func localised() []string {
	return strings.Split("Asblik|Göndərilənlər|Kotak Masuk|Peti Masuk|Safata d’entrada|Odeslaná pošta|Blwch derbyn|Indbakke|Gesendet|Prügikast"+
		"|Bin|Sent Mail|Borradores|Enviados|Sarrera-ontzia|Naipadalang Sulat|Boîte de réception|Courriers indésirables|Bosca Isteach|Correo enviado"+
		"|Neželjena pošta|Posta inviata|Ibhokisi lokungenayo|Pósthólf|Kikasha|Iesūtne|Išsiųsti laiškai|Elküldött üzenetek|Søppelpost|Verzonden berichten"+
		"|Wysłane|E-mails enviados|Correio enviado|Coș de gunoi|Odoslané|Vsiljena pošta|Lähetetyt viestit|Skräppost|Thư đã gửi|Gelen Kutusu"+
		"|Απεσταλμένα|Изпратени|Илгээсэн имэйл|Отправленные|Послате|Надіслані|Ուղարկված|דואר נכנס|موصول شدہ پیغامات|البريد الوارد"+
		"|نامه\u200cهای فرستاده\u200cشده|पठाइएको मेल|तारांकित|भेजी गई मेल|প্রেরিত মেল|મોકલેલા મેઇલ|அனுப்பிய அஞ்சல்|పంపిన సందేశాలు|ಕಳುಹಿಸಿದ ಮೇಲ್|അയച്ച മെയിൽ"+
		"|යැවූ ලිපි|จดหมายที่ส่งแล้ว|ຈົດໝາຍທີ່ສົ່ງແລ້ວ|ထွက်စာ|გაგზავნილები|የተላከ ኢሜይል|ᏫᎦᏅᏅᎯ ᎪᏪᎸ|ប្រអប់ទទួល|寄件備份|已发邮件|收件匣|送信済みメール|보낸편지함", "|")
}

func TestNamesThatGmailReservesInOtherLanguagesAreWorkedAround(t *testing.T) {
	names := localised()
	if len(names) != 73 {
		t.Fatalf("there are %d names", len(names))
	}
	// Named in the reports of other importers.
	names = append(names, "Gearchiveerd", "Enviado", "Da leggere", "Ongelezen", "No leídos")
	_, server := serve(t, gmailsim.Options{Reserved: names})
	var fs []migrate.Folder
	for _, name := range names {
		fs = append(fs, migrate.Folder{Path: []string{name, "2019"}}, migrate.Folder{Path: []string{name}}, migrate.Folder{Path: []string{"Clients", name}})
	}
	first := placed(t, open(t, config(server)), fs)
	for i, place := range first {
		name := names[i/3]
		want := []string{name + " (migrated)/2019", name + " (migrated)", "Clients/" + name}[i%3]
		if place.Name != want || strings.Contains(place.Note, "reserves") != (i%3 < 2) {
			t.Errorf("%s is %+v, want it called %q", fs[i], place, want)
		}
	}
	for i, place := range placed(t, open(t, config(server)), fs) {
		if place.ID != first[i].ID {
			t.Errorf("%s is %+v at the second look, was %+v", fs[i], place, first[i])
		}
	}
}

func TestALabelThatTurnsOutToExistIsLookedAt(t *testing.T) {
	for name, test := range map[string]struct {
		before string // a label that appears between the listing and the creation
		lost   bool   // or the answer to the creation is lost
		want   string
	}{
		"the answer was lost":       {"", true, "Bills/2019"},
		"somebody made it":          {"Bills/2019", false, "Bills/2019"},
		"one that Gmail mixes up":   {"bills-2019", false, "Bills/2019 (2)"},
		"one that differs by space": {"Bills / 2019", false, "Bills/2019"}, // more separators: no conflict
	} {
		sim, err := gmailsim.New(gmailsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		var creations atomic.Int64
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				sim.ServeHTTP(w, r)
				return
			}
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			if creations.Add(1) == 2 { // of Bills/2019
				if test.lost {
					sim.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				other := r.Clone(r.Context())
				other.Body = io.NopCloser(strings.NewReader(fmt.Sprintf(`{"name":%q}`, test.before)))
				sim.ServeHTTP(httptest.NewRecorder(), other)
			}
			sim.ServeHTTP(w, r)
		})
		target := open(t, config(server))
		places, err := target.Place(t.Context(), folders("Bills|2019"))
		if e, ok := errors.AsType[*migrate.Error](err); test.lost && (!ok || e.Class != migrate.Transient) || !test.lost && err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err != nil { // as the engine does
			places = placed(t, target, folders("Bills|2019"))
		}
		if places[0].Name != test.want || (places[0].Note == "") != (test.want == "Bills/2019") {
			t.Errorf("%s: the folder is %+v, want it called %q", name, places[0], test.want)
		}
	}
}
