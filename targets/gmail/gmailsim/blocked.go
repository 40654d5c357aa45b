package gmailsim

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"path"
	"slices"
	"strings"
)

// blockedExtensions is Google's list (support.google.com/mail/answer/6590).
const blockedExtensions = "ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpack dll dmg ex ex_ exe hta img ins iso isp jar" +
	" jnlp js jse lib lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll"

const (
	maxParts = 2000     // parts of a message that are looked at
	maxZip   = 32 << 20 // octets of an archive that is looked into
)

// blocked says whether a message has an attachment with one of the given
// extensions, also in a zip archive, or an encrypted archive. It looks at no
// more than the headers of the parts and the directories of archives.
func blocked(h head, body []byte, extensions []string) bool {
	if len(extensions) == 0 {
		return false
	}
	left := maxParts
	return blockedPart(h, body, extensions, &left, 20)
}

func blockedPart(h head, body []byte, extensions []string, left *int, depth int) bool {
	if *left--; *left < 0 || depth == 0 {
		return false
	}
	if len(h.contentType) >= 8 && strings.EqualFold(h.contentType[:8], "message/") {
		header, inner := split(body)
		return blockedPart(parseHead(header), inner, extensions, left, depth-1)
	}
	if len(h.contentType) >= 10 && strings.EqualFold(h.contentType[:10], "multipart/") {
		_, params, _ := mime.ParseMediaType(h.contentType)
		for part := range parts(body, params["boundary"]) {
			header, inner := split(part)
			if blockedPart(parseHead(header), inner, extensions, left, depth-1) {
				return true
			}
		}
		return false
	}
	for _, name := range []string{parameter(h.disposition, "filename"), parameter(h.contentType, "name")} {
		switch extension := extensionOf(name); {
		case slices.Contains(extensions, extension):
			return true
		case extension == "zip" && blockedZip(h.encoding, body, extensions):
			return true
		}
	}
	return false
}

// parts yields the parts of a multipart body (RFC 2046 section 5.1.1).
func parts(body []byte, boundary string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		if boundary == "" {
			return
		}
		delimiter := []byte("\n--" + boundary)
		_, rest, ok := bytes.Cut(body, delimiter)
		if bytes.HasPrefix(body, delimiter[1:]) {
			rest, ok = body[len(delimiter)-1:], true
		}
		for ok && !bytes.HasPrefix(rest, []byte("--")) {
			_, rest, _ = bytes.Cut(rest, []byte("\n"))
			var part []byte
			part, rest, ok = bytes.Cut(rest, delimiter)
			if !yield(part) {
				return
			}
		}
	}
}

// parameter returns a file name from a header value, decoded.
func parameter(value, name string) string {
	if !strings.Contains(strings.ToLower(value), name) {
		return ""
	}
	_, params, _ := mime.ParseMediaType(value)
	if decoded, err := new(mime.WordDecoder).DecodeHeader(params[name]); err == nil {
		return decoded
	}
	return params[name]
}

func extensionOf(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimRight(name, " .")), "."))
}

// blockedZip looks into an archive. One that it cannot read is let through.
func blockedZip(encoding string, body []byte, extensions []string) bool {
	if encoding == "base64" {
		decoded, err := io.ReadAll(io.LimitReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body)), maxZip))
		if err != nil && len(decoded) == 0 {
			return false
		}
		body = decoded
	}
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(archive.File, func(f *zip.File) bool {
		return f.Flags&1 != 0 || slices.Contains(extensions, extensionOf(f.Name)) // bit 0: encrypted
	})
}
