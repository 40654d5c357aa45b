package imap

import (
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// mailboxes are what users' folders are called who never chose the names: for
// sent mail, drafts, trash and junk.
func mailboxes() map[string]string {
	return map[string]string{
		"English": "Sent Items|Drafts|Deleted Items|Junk Email", "German": "Gesendet|Entwürfe|Papierkorb|Spam", "French": "Envoyés|Brouillons|Corbeille|Indésirables",
		"Spanish": "Enviados|Borradores|Papelera|Correo no deseado", "Portuguese": "Enviados|Rascunhos|Lixo|Spam", "Brazilian": "Itens enviados|Rascunhos|Lixeira|Lixo eletrônico",
		"Italian": "Posta inviata|Bozze|Cestino|Posta indesiderata", "Dutch": "Verzonden items|Concepten|Prullenbak|Ongewenste e-mail", "Catalan": "Enviats|Esborranys|Paperera|Correu brossa",
		"Swedish": "Skickat|Utkast|Papperskorgen|Skräppost", "Danish": "Sendt|Kladder|Papirkurv|Uønsket mail", "Norwegian": "Sendt|Utkast|Papirkurv|Søppelpost",
		"Finnish": "Lähetetyt|Luonnokset|Roskakori|Roskaposti", "Polish": "Wysłane|Szkice|Kosz|Niechciane", "Czech": "Odeslaná pošta|Koncepty|Koš|Nevyžádaná pošta",
		"Slovak": "Odoslaná pošta|Koncepty|Kôš|Nevyžiadaná pošta", "Hungarian": "Elküldött elemek|Piszkozatok|Törölt elemek|Levélszemét", "Romanian": "Trimise|Ciorne|Coș de gunoi|Spam",
		"Croatian": "Poslano|Skice|Smeće|Neželjena pošta", "Slovenian": "Poslano|Osnutki|Smeti|Neželena pošta", "Estonian": "Saadetud|Mustandid|Prügikast|Rämpspost",
		"Russian": "Отправленные|Черновики|Корзина|Спам", "Ukrainian": "Надіслані|Чернетки|Кошик|Спам", "Bulgarian": "Изпратени|Чернови|Кошче|Нежелана поща",
		"Greek": "ΑΠΕΣΤΑΛΜΈΝΑ|Πρόχειρα|Κάδος απορριμμάτων|Ανεπιθύμητα", "Turkish": "Gönderilmiş Öğeler|Taslaklar|Silinmiş Öğeler|Önemsiz E-posta",
		"Japanese": "送信済み|下書き|ゴミ箱|迷惑メール", "Chinese": "已发送邮件|草稿箱|已删除邮件|垃圾邮件", "Taiwanese": "寄件備份|草稿|垃圾桶|垃圾郵件", "Korean": "보낸 편지함|임시 보관함|휴지통|스팸",
	}
}

func TestSpecialFoldersAreKnownByTheirNamesInManyLanguages(t *testing.T) {
	roles := []migrate.Role{migrate.RoleSent, migrate.RoleDrafts, migrate.RoleTrash, migrate.RoleJunk}
	if n := len(mailboxes()); n != 30 {
		t.Errorf("%d languages and regions", n)
	}
	for language, names := range mailboxes() {
		data := []*imap.ListData{{Mailbox: "INBOX", Delim: '/'}}
		want := map[string]migrate.Role{"INBOX": migrate.RoleInbox}
		for i, name := range strings.Split(names, "|") {
			data = append(data, &imap.ListData{Mailbox: name, Delim: '/'}, &imap.ListData{Mailbox: name + "/2019", Delim: '/'})
			want[name] = roles[i]
		}
		for _, l := range tree(data, imap.NamespaceData{}) {
			if name := l.folder.String(); l.folder.Role != want[name] {
				t.Errorf("%s: %q has the role %q, want %q", language, name, l.folder.Role, want[name])
			}
		}
	}
}

func TestNoNameStandsForTwoRoles(t *testing.T) {
	seen := map[string]migrate.Role{}
	for _, r := range roleNames {
		for _, name := range r.names {
			if other := seen[strings.ToLower(name)]; other != "" {
				t.Errorf("%q is %s and %s", name, other, r.role)
			}
			seen[strings.ToLower(name)] = r.role
		}
	}
}
