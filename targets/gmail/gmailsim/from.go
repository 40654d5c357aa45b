package gmailsim

import "strings"

// checkFrom applies the rules on From and returns its address in lower case.
func checkFrom(from []string) (string, error) {
	if len(from) != 1 {
		return "", invalid("Expected a single 'From' header")
	}
	mailboxes := splitMailboxes(from[0])
	address := ""
	for _, m := range mailboxes {
		if address = addressOf(m); address == "" {
			return "", invalid("Invalid From header")
		}
	}
	switch len(mailboxes) {
	case 0:
		return "", invalid("Invalid From header")
	case 1:
		return address, nil
	default: // RFC 5322 section 3.6.2 allows it; Gmail does not
		return "", badRequest()
	}
}

// splitMailboxes splits an address list at its commas, without its comments
// and with quoted strings, which may hold commas, made empty (RFC 5322 section 3.4).
func splitMailboxes(s string) (list []string) {
	var b strings.Builder
	var quoted, escaped bool
	comment := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case escaped:
			escaped = false
		case c == '\\' && (quoted || comment > 0):
			escaped = true
		case c == '"' && comment == 0:
			quoted = !quoted
			b.WriteByte(c)
		case quoted:
		case c == '(':
			comment++
		case c == ')' && comment > 0:
			comment--
		case comment > 0:
		case c == ',':
			list = append(list, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() > 0 {
		list = append(list, b.String())
	}
	return list
}

// addressOf returns the address of one mailbox in lower case, or "".
func addressOf(mailbox string) string {
	a := strings.TrimSpace(mailbox)
	if _, rest, ok := strings.Cut(a, "<"); ok {
		inner, after, ok := strings.Cut(rest, ">")
		if !ok || strings.TrimSpace(after) != "" {
			return ""
		}
		a = strings.TrimSpace(inner)
	}
	at := strings.LastIndexByte(a, '@')
	if at <= 0 || at == len(a)-1 || strings.ContainsAny(a, " \t<>;:") || strings.Contains(a[:at], "@") {
		return ""
	}
	return strings.ToLower(a)
}
