package imap

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// specialUse returns the role that the server gives a folder (RFC 6154).
func specialUse(attrs []imap.MailboxAttr) migrate.Role {
	for _, a := range attrs {
		switch a {
		case imap.MailboxAttrSent:
			return migrate.RoleSent
		case imap.MailboxAttrDrafts:
			return migrate.RoleDrafts
		case imap.MailboxAttrJunk:
			return migrate.RoleJunk
		case imap.MailboxAttrTrash:
			return migrate.RoleTrash
		case imap.MailboxAttrArchive:
			return migrate.RoleArchive
		}
	}
	return migrate.RoleNone
}

// guessRoles gives roles by name to top-level folders, where the server gave a
// role to no folder. The first name of a list that is there wins.
func guessRoles(ls []listed) {
	for _, r := range roleNames {
		if slices.ContainsFunc(ls, func(l listed) bool { return l.folder.Role == r.role }) {
			continue
		}
		for _, name := range r.names {
			i := slices.IndexFunc(ls, func(l listed) bool {
				return len(l.folder.Path) == 1 && !l.folder.NoSelect && l.folder.Role == migrate.RoleNone &&
					strings.EqualFold(l.folder.Path[0], name)
			})
			if i >= 0 {
				ls[i].folder.Role = r.role
				break
			}
		}
	}
}

// roleNames are names that mail programs make such folders with, in 30 languages
// and regions.
var roleNames = []struct {
	role  migrate.Role
	names []string
}{
	{migrate.RoleSent, []string{"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Gesendet", "Gesendete Elemente", "Gesendete Objekte",
		"Envoyés", "Éléments envoyés", "Messages envoyés", "Enviados", "Elementos enviados", "Mensajes enviados", "Itens enviados", "Mensagens enviadas",
		"Inviati", "Inviata", "Posta inviata", "Elementi inviati", "Verzonden", "Verzonden items", "Verzonden berichten", "Enviats",
		"Skickat", "Skickade objekt", "Sendt", "Sendt post", "Sendte elementer", "Lähetetyt", "Lähetetyt viestit",
		"Wysłane", "Elementy wysłane", "Odeslané", "Odeslaná pošta", "Odoslané", "Odoslaná pošta", "Elküldött", "Elküldött elemek", "Trimise", "Elemente trimise",
		"Poslano", "Saadetud", "Отправленные", "Надіслані", "Изпратени", "Απεσταλμένα", "Gönderilmiş", "Gönderilmiş Öğeler", "Gönderilenler",
		"送信済み", "送信済みアイテム", "送信済みメール", "已发送", "已发送邮件", "寄件備份", "보낸 편지함", "보낸편지함"}},
	{migrate.RoleDrafts, []string{"Drafts", "Entwürfe", "Brouillons", "Borradores", "Rascunhos", "Bozze", "Concepten", "Esborranys",
		"Utkast", "Udkast", "Kladder", "Luonnokset", "Szkice", "Wersje robocze", "Koncepty", "Rozepsané", "Piszkozatok", "Ciorne", "Schițe",
		"Skice", "Osnutki", "Mustandid", "Черновики", "Чернетки", "Чернови", "Πρόχειρα", "Taslaklar", "下書き", "草稿", "草稿箱", "임시 보관함", "임시보관함"}},
	{migrate.RoleTrash, []string{"Trash", "Deleted Items", "Deleted Messages", "Papierkorb", "Gelöschte Elemente", "Gelöschte Objekte",
		"Corbeille", "Éléments supprimés", "Papelera", "Elementos eliminados", "Lixeira", "Lixo", "Itens excluídos", "Itens eliminados",
		"Cestino", "Posta eliminata", "Elementi eliminati", "Prullenbak", "Verwijderde items", "Paperera",
		"Papperskorg", "Papperskorgen", "Borttagna objekt", "Papirkurv", "Slettet post", "Slettede elementer", "Roskakori", "Poistetut", "Poistetut viestit",
		"Kosz", "Elementy usunięte", "Koš", "Odstraněná pošta", "Kôš", "Odstránená pošta", "Kuka", "Lomtár", "Törölt elemek", "Coș de gunoi", "Elemente șterse",
		"Smeće", "Smeti", "Prügikast", "Корзина", "Удаленные", "Удалённые", "Кошик", "Видалені", "Кошче", "Κάδος", "Κάδος απορριμμάτων", "Çöp", "Çöp Kutusu", "Silinmiş Öğeler",
		"ゴミ箱", "削除済みアイテム", "已删除", "已删除邮件", "废件箱", "垃圾桶", "刪除的郵件", "휴지통", "지운 편지함"}},
	{migrate.RoleJunk, []string{"Junk", "Spam", "Junk E-mail", "Junk Email", "Junk-E-Mail", "Unerwünscht", "Courrier indésirable", "Indésirables",
		"Pourriel", "Correo no deseado", "Correo basura", "Lixo eletrônico", "Lixo eletrónico", "Posta indesiderata", "Ongewenste e-mail", "Correu brossa",
		"Skräppost", "Uønsket", "Uønsket mail", "Uønsket e-mail", "Søppelpost", "Søppel-e-post", "Roskaposti",
		"Niechciane", "Wiadomości-śmieci", "Nevyžádaná pošta", "Nevyžiadaná pošta", "Levélszemét", "E-mail nedorit", "Neželjena pošta", "Neželena pošta", "Rämpspost",
		"Спам", "Нежелательная почта", "Небажана пошта", "Нежелана поща", "Ανεπιθύμητα", "Ανεπιθύμητη αλληλογραφία", "Önemsiz", "Önemsiz E-posta", "Gereksiz",
		"迷惑メール", "垃圾邮件", "垃圾郵件", "정크 메일", "스팸", "스팸 메일함"}},
}
