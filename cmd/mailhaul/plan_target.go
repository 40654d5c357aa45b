package main

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/targets/gmail"
)

// planTarget is what is known of a target before anything was asked of it, and
// the sizes up to which it treats messages alike.
func planTarget(kind string) (t assess.Target, bounds []int64) {
	roles := []migrate.Role{migrate.RoleInbox, migrate.RoleSent, migrate.RoleDrafts, migrate.RoleJunk, migrate.RoleTrash, migrate.RoleArchive}
	if kind == "gmail" {
		t = assess.Target{Labels: true, Expires: true, MaxMessage: gmail.MaxMessageSize}
		t.Names = assess.Names{Roles: roles, Most: 10_000, Clean: gmailName, Key: gmailKey, Reserved: gmailReserved,
			TooLong: func(path []string) bool { return utf16Length(strings.Join(path, "/")) > 225 }}
		return t, []int64{gmail.MaxMessageSize}
	}
	t = assess.Target{Keywords: true, MaxMessage: 150 << 20, UsualMessage: 35_000_000, FolderMost: 1_000_000, MailboxMost: 50_000_000_000}
	t.Names = assess.Names{Roles: roles, Siblings: 10_000, Depth: 300, Clean: graphName, Key: graphKey,
		Reserved: func([]string) bool { return false },
		TooLong:  func(path []string) bool { return utf16Length(path[len(path)-1]) > 250 }}
	return t, []int64{maxImport, t.UsualMessage, t.MaxMessage}
}

// maxImport is the largest message that importMime takes.
const maxImport = 3_000_000

// blockedFiles are the types that Google says it blocks, also in archives
// (support.google.com/mail/answer/6590). Whether it refuses them in mail that is
// imported is unknown; Microsoft blocks them when they are opened.
func blockedFiles(kind string) []string {
	if kind != "gmail" {
		return nil
	}
	return strings.Fields(`ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpack dll dmg ex ex_ exe hta img ins iso isp
		jar jnlp js jse lib lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll`)
}

func utf16Length(s string) int { return len(utf16.Encode([]rune(s))) }

// gmailName is how a label shows the name of a folder. What it is checked
// against is the target's own Place.
func gmailName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '/':
			return '-'
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == '\u200b', r == '\ufeff', r == '\u2028', r == '\u2029', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return -1
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(name, "\uFFFD")))
	if name = strings.TrimSpace(name); name == "" {
		return "Unnamed"
	}
	return name
}

// gmailKey is equal for labels that exclude each other.
func gmailKey(path []string) string {
	name := strings.Join(strings.Fields(strings.Join(path, "/")), " ")
	return strings.NewReplacer(" ", "-", "/", "-").Replace(strings.ToLower(name))
}

func gmailReserved(path []string) bool {
	if len(path) > 1 {
		return false
	}
	switch gmailKey(path) {
	case "inbox", "spam", "trash", "sent", "drafts", "starred", "important", "unread", "chats":
		return true
	}
	return false
}

// graphName is how Exchange holds the name of a folder.
func graphName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD")))
	if name == "" {
		return "Unnamed"
	}
	return name
}

// graphKey is equal for folders that Exchange takes for one.
func graphKey(path []string) string {
	return cases.Fold().String(norm.NFC.String(strings.Join(path, "\x00")))
}
