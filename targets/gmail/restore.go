package gmail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// restored undoes head.repair: it returns what stands in file below the fields
// that a repair put on top, with the names that fields had before, and the
// repairs. The reader is nil if file holds no repaired message.
func restored(file io.ReadSeeker) (before io.Reader, repairs []Repair, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	in := bufio.NewReader(file)
	var header bytes.Buffer // what of it belongs to the message as it was
	begins := true          // the next octets begin a line
	for n := 0; n < 2*maxHeader; {
		line, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, nil, err
		}
		n += len(line)
		switch text := bytes.TrimRight(line, "\r\n"); {
		case repairs == nil && begins && bytes.HasPrefix(text, []byte(repairedField)):
			for name := range strings.FieldsSeq(string(text[len(repairedField):])) {
				repairs = append(repairs, Repair(name))
			}
		case repairs != nil && begins:
			header.Write(bytes.TrimPrefix(line, []byte(quote)))
		case repairs != nil:
			header.Write(line)
		}
		if err == io.EOF || begins && len(bytes.TrimRight(line, "\r\n")) == 0 {
			break // the header ends
		}
		begins = err == nil
	}
	if repairs == nil {
		return nil, nil, nil
	}
	return io.MultiReader(&header, in), repairs, nil
}
