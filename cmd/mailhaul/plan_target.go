package main

import (
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// planTarget is what is known of a target before anything was asked of it, and
// the sizes up to which it treats messages alike.
func planTarget(kind string) (t assess.Target, bounds []int64) {
	if kind == "gmail" {
		return gmailTarget(), []int64{gmail.SingleRequest, gmail.MaxDraftSize, gmail.MaxMessageSize}
	}
	t = graphTarget()
	return t, []int64{graph.MaxImportSize, t.UsualMessage, t.MaxMessage}
}

// gmailTarget has the number of labels from the discovery document of the Gmail
// API (users.labels.create).
func gmailTarget() assess.Target {
	join := func(path []string) string { return strings.Join(path, "/") }
	return assess.Target{Labels: true, Expires: true, MaxMessage: gmail.MaxMessageSize, MaxDraft: gmail.MaxDraftSize,
		Names: assess.Names{Most: 10_000,
			Homes: map[migrate.Role]string{migrate.RoleInbox: "", migrate.RoleSent: "", migrate.RoleDrafts: "", migrate.RoleJunk: "", migrate.RoleTrash: "",
				migrate.RoleArchive: ""},
			Clean:    func(name string) string { name, _ = gmail.LabelName(name); return name },
			Key:      func(path []string) string { return gmail.LabelKey(join(path)) },
			Reserved: func(path []string) bool { return len(path) == 1 && gmail.ReservedLabel(path[0]) },
			TooLong:  func(path []string) bool { return !gmail.LabelFits(join(path)) }}}
}

// graphTarget has the limits of Exchange Online's service description: 35 MB for
// a message unless an administrator allows more, 50 GB for a mailbox of the
// smaller licences, 1,000,000 messages and 10,000 folders in a folder. Its own
// folders are called otherwise where the mailbox is not in English.
func graphTarget() assess.Target {
	return assess.Target{Keywords: true, MaxMessage: graph.MaxMessageSize, UsualMessage: 35_000_000, FolderMost: 1_000_000, MailboxMost: 50_000_000_000,
		Names: assess.Names{Siblings: 10_000, Depth: graph.MaxFolderDepth,
			Homes: map[migrate.Role]string{migrate.RoleInbox: "Inbox", migrate.RoleSent: "Sent Items", migrate.RoleDrafts: "Drafts", migrate.RoleJunk: "Junk Email",
				migrate.RoleTrash: "Deleted Items", migrate.RoleArchive: "Archive"},
			Clean:    func(name string) string { name, _ = graph.FolderName(name); return name },
			Key:      func(path []string) string { return graph.FolderKey(strings.Join(path, "\x00")) },
			Reserved: func(path []string) bool { return len(path) == 1 && strings.EqualFold(path[0], "Outbox") },
			TooLong:  func([]string) bool { return false }}} // FolderName shortens it
}

// sealedMost is how many octets a signed or encrypted message may have to get into
// the target of c, 0 if there is no other limit for it: Graph rebuilds what it
// cannot import, and what is sealed cannot be rebuilt.
func sealedMost(c *Config) int64 {
	switch {
	case c.Target.Kind == "gmail", c.Graph.Protected == "attach":
		return 0
	case c.Graph.Route == string(graph.RouteJSON):
		return 1 // no message is so small
	}
	return graph.MaxImportSize
}

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
