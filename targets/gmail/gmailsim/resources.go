package gmailsim

// The resources of the API that this package answers with, as the discovery
// document of Gmail v1 describes them. 64-bit numbers are JSON strings.

type messageResource struct {
	ID           string        `json:"id,omitempty"`
	ThreadID     string        `json:"threadId,omitempty"`
	LabelIDs     []string      `json:"labelIds,omitempty"`
	HistoryID    string        `json:"historyId,omitempty"`
	InternalDate string        `json:"internalDate,omitempty"`
	SizeEstimate int64         `json:"sizeEstimate,omitempty"`
	Snippet      string        `json:"snippet,omitempty"`
	Payload      *partResource `json:"payload,omitempty"`
	Raw          string        `json:"raw,omitempty"`
}

type partResource struct {
	MimeType string           `json:"mimeType,omitempty"`
	Headers  []headerResource `json:"headers,omitempty"`
}

type headerResource struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type messageList struct {
	Messages           []messageResource `json:"messages,omitempty"`
	NextPageToken      string            `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int               `json:"resultSizeEstimate"`
}

type labelResource struct {
	ID                    string `json:"id,omitempty"`
	Name                  string `json:"name,omitempty"`
	MessageListVisibility string `json:"messageListVisibility,omitempty"`
	LabelListVisibility   string `json:"labelListVisibility,omitempty"`
	Type                  string `json:"type,omitempty"`
	MessagesTotal         *int   `json:"messagesTotal,omitempty"`
	MessagesUnread        *int   `json:"messagesUnread,omitempty"`
	ThreadsTotal          *int   `json:"threadsTotal,omitempty"`
	ThreadsUnread         *int   `json:"threadsUnread,omitempty"`
}

type labelList struct {
	Labels []labelResource `json:"labels"`
}

type profileResource struct {
	EmailAddress  string `json:"emailAddress"`
	MessagesTotal int    `json:"messagesTotal"`
	ThreadsTotal  int    `json:"threadsTotal"`
	HistoryID     string `json:"historyId"`
}

type draftResource struct {
	ID      string          `json:"id"`
	Message messageResource `json:"message"`
}

type draftList struct {
	Drafts             []draftResource `json:"drafts,omitempty"`
	NextPageToken      string          `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int             `json:"resultSizeEstimate"`
}

type historyList struct {
	History       []historyResource `json:"history,omitempty"`
	NextPageToken string            `json:"nextPageToken,omitempty"`
	HistoryID     string            `json:"historyId"`
}

type historyResource struct {
	ID              string            `json:"id"`
	Messages        []messageResource `json:"messages,omitempty"`
	MessagesAdded   []historyChange   `json:"messagesAdded,omitempty"`
	MessagesDeleted []historyChange   `json:"messagesDeleted,omitempty"`
	LabelsAdded     []historyChange   `json:"labelsAdded,omitempty"`
	LabelsRemoved   []historyChange   `json:"labelsRemoved,omitempty"`
}

type historyChange struct {
	Message  messageResource `json:"message"`
	LabelIDs []string        `json:"labelIds,omitempty"`
}
