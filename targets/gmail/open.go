package gmail

import (
	"context"
	"io"
	"os"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

// Open reads a message into a temporary file, so that whoever reads the content
// holds up neither the connection nor other calls. The Held is Complete, but
// for the Message-ID, which the content has. It costs 20 units.
func (t *Target) Open(ctx context.Context, id migrate.MessageID) (migrate.Held, io.ReadCloser, error) {
	file, err := newTempFile()
	if err != nil {
		return migrate.Held{}, nil, unsent(costGet.op, err)
	}
	var got *api.Message
	err = t.call(ctx, costRead, func(ctx context.Context) (err error) {
		got, _, err = t.download(ctx, string(id), file)
		return err
	})
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return migrate.Held{}, nil, notFound(err)
	}
	return t.held(id, got), file, nil
}

// A tempFile is a file that is gone when it is closed.
type tempFile struct{ *os.File }

func newTempFile() (tempFile, error) {
	file, err := os.CreateTemp("", "mailhaul-") // mode 0600
	if err != nil {
		return tempFile{}, err
	}
	os.Remove(file.Name()) // where an open file needs no name, a kill leaves no mail behind
	return tempFile{file}, nil
}

func (f tempFile) Close() error {
	err := f.File.Close()
	os.Remove(f.Name())
	return err
}
