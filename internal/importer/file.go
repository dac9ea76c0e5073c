package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// file is a text file as it lies on the disk: packed by gzip or not, in one encoding or another.
type file struct {
	on   *os.File
	size int64
	// progress is told how many bytes of the file have been read, of how many.
	progress func(done, total int64)
	read     int64
}

// openFile opens a file that can be read more than once.
func openFile(path string, progress func(done, total int64)) (*file, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	information, err := opened.Stat()
	if err == nil && !information.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	// It is read twice: what its encoding is shows only in the whole of it.
	return &file{on: opened, size: 2 * information.Size(), progress: progress}, nil
}

// Read reads the file as it is and counts.
func (f *file) Read(into []byte) (int, error) {
	n, err := f.on.Read(into)
	f.read += int64(n)
	f.progress(f.read, f.size)
	return n, err
}

// text reads the file from its beginning, unpacked and in UTF-8.
func (f *file) text() (io.Reader, error) {
	raw, err := f.unpacked()
	if err != nil {
		return nil, err
	}
	found, err := detect(raw)
	if err != nil {
		return nil, err
	}
	if raw, err = f.unpacked(); err != nil || found == nil {
		return raw, err
	}
	return found.NewDecoder().Reader(raw), nil
}

func (f *file) unpacked() (io.Reader, error) {
	if _, err := f.on.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	raw := bufio.NewReaderSize(f, 1<<16)
	if start, err := raw.Peek(2); err == nil && bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(raw)
	}
	return raw, nil
}

// detect reads all of raw and says how it is encoded; nil for UTF-8 without a mark. What is neither marked nor UTF-8 is
// taken for Windows-1252, which spreadsheets in the West write and of which ISO 8859-1 is a part.
func detect(raw io.Reader) (encoding.Encoding, error) {
	chunk := make([]byte, 1<<16)
	kept, first := 0, true
	for {
		n, err := io.ReadFull(raw, chunk[kept:])
		seen := chunk[:kept+n]
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n < len(chunk)-kept
		if err != nil && !ended {
			return nil, err
		}
		if first {
			if marked := marked(seen); marked != nil {
				return marked, nil
			}
			first = false
		}
		rest, ok := skipUTF8(seen)
		if !ok || ended && len(rest) > 0 {
			return charmap.Windows1252, nil
		}
		if ended {
			return nil, nil
		}
		kept = copy(chunk, rest)
	}
}

// marked returns the encoding that a mark at the start of a file names; nil if there is none.
func marked(start []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(start, []byte{0xef, 0xbb, 0xbf}):
		return unicode.UTF8BOM
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	}
	return nil
}

// skipUTF8 returns what stands behind the last whole character, which may go on in the next chunk; false if text is not
// UTF-8.
func skipUTF8(text []byte) (rest []byte, ok bool) {
	if utf8.Valid(text) {
		return nil, true
	}
	for length := 1; length < utf8.UTFMax && length <= len(text); length++ {
		if cut := len(text) - length; !utf8.FullRune(text[cut:]) && utf8.Valid(text[:cut]) {
			return text[cut:], true
		}
	}
	return nil, false
}
