package gmail

import (
	"context"
	"errors"
	"net/http"
	"strings"

	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
)

// A label is a label that exists. Its id never changes; people may rename it.
type label struct {
	id, name string
	system   bool
}

// labels are the labels of a mailbox.
type labels struct {
	byID  map[string]*label
	byKey map[string]*label // by LabelKey(name)
}

func (l *labels) add(known *label) {
	l.byID[known.id], l.byKey[LabelKey(known.name)] = known, known
}

func (l *labels) drop(known *label) {
	delete(l.byID, known.id)
	delete(l.byKey, LabelKey(known.name))
}

// listLabels asks for all labels, which come in one answer.
func (t *Target) listLabels(ctx context.Context) (*labels, error) {
	var list *api.ListLabelsResponse
	err := t.call(ctx, costLabelsList, func(ctx context.Context) (err error) {
		list, err = t.service.Users.Labels.List(t.user).Fields("labels(id,name,type)").Context(ctx).Do()
		return err
	})
	if err != nil {
		return nil, err
	}
	l := &labels{byID: make(map[string]*label), byKey: make(map[string]*label)}
	for _, known := range list.Labels {
		l.add(&label{known.Id, known.Name, known.Type == "system"})
	}
	return l, nil
}

// createLabel makes a label. exists says that Gmail holds another one's name
// to be the same, reserved that it takes the name for no label.
func (t *Target) createLabel(ctx context.Context, name string) (made *label, exists, reserved bool, err error) {
	err = t.call(ctx, costLabelsCreate, func(ctx context.Context) error {
		created, err := t.service.Users.Labels.Create(t.user, &api.Label{
			Name:                  name,
			LabelListVisibility:   "labelShow",
			MessageListVisibility: "show",
		}).Fields("id").Context(ctx).Do()
		exists, reserved = nameRefused(err)
		if err == nil {
			made = &label{id: created.Id, name: name}
		}
		return err
	})
	return made, exists, reserved, err
}

// renameLabel gives a label another name; what it returns is as in createLabel.
func (t *Target) renameLabel(ctx context.Context, id, name string) (exists, reserved bool, err error) {
	err = t.call(ctx, costLabelsPatch, func(ctx context.Context) error {
		_, err := t.service.Users.Labels.Patch(t.user, id, &api.Label{Name: name}).Fields("id").Context(ctx).Do()
		exists, reserved = nameRefused(err)
		return err
	})
	return exists, reserved, err
}

func nameRefused(err error) (exists, reserved bool) {
	g, ok := asAnswer(err)
	return ok && g.status == http.StatusConflict,
		ok && g.status == http.StatusBadRequest && strings.Contains(strings.ToLower(g.message), "invalid label name")
}

func asAnswer(err error) (answer, bool) {
	g, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return answer{}, false
	}
	return answerOf(g), true
}
