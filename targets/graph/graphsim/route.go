package graphsim

// route finds the handler of what follows /users/{u}.
func (c *call) route(rest []string) (reply, error) {
	if len(rest) == 0 {
		return c.user()
	}
	switch rest[0] {
	case "messages":
		return c.routeMessages("", rest[1:])
	case "mailFolders":
		return c.routeFolders(rest[1:])
	case "mailboxSettings":
		if len(rest) == 1 {
			return c.mailboxSettings()
		}
	case "outlook":
		if len(rest) >= 2 && rest[1] == "masterCategories" {
			return c.masterCategories(rest[2:])
		}
	case "translateExchangeIds":
		if len(rest) == 1 {
			return c.translateIDs()
		}
	}
	return reply{}, errSegment(rest[len(rest)-1])
}
