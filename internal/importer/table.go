package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Columns says how a file calls its columns: the name in the file by ours. What it does not say is called as we do.
type Columns map[string]string

// UnmarshalText reads a list like order=InvoiceNo,member=CustomerID. A name with a comma in it stands with its field
// between quotation marks: "price=Price, net".
func (c *Columns) UnmarshalText(text []byte) error {
	reader := csv.NewReader(strings.NewReader(string(text)))
	pairs, err := reader.Read()
	if err != nil {
		return fmt.Errorf("%q is no list like order=InvoiceNo,member=CustomerID", text)
	}
	*c = Columns{}
	for _, pair := range pairs {
		field, name, ok := strings.Cut(pair, "=")
		field, name = strings.TrimSpace(field), strings.TrimSpace(name)
		if _, twice := (*c)[field]; !ok || field == "" || name == "" || twice {
			return fmt.Errorf("%q is no pair like order=InvoiceNo, or says a second time what a column is called", pair)
		}
		(*c)[field] = name
	}
	return nil
}

// table reads the rows of a CSV file with a header.
type table struct {
	reader *csv.Reader
	places map[string]int
	row    []string
	// line is where in the file the row starts, from 1.
	line int
}

// newTable reads the header and finds the columns. It fails if one that is required or named in columns is missing.
func newTable(from io.Reader, columns Columns, required, optional []string) (*table, error) {
	fields := slices.Concat(required, optional)
	for field := range columns {
		if !slices.Contains(fields, field) {
			return nil, fmt.Errorf("there is no column %q to name; there are %s", field, strings.Join(fields, ", "))
		}
	}
	reader := csv.NewReader(from)
	reader.FieldsPerRecord, reader.ReuseRecord = -1, true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty: it has not even a header")
	}
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	header = slices.Clone(header)
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
	}
	t := &table{reader: reader, places: make(map[string]int, len(fields))}
	for _, field := range fields {
		name, named := columns[field]
		if !named {
			name = field
		}
		place := slices.Index(header, name)
		switch {
		case place < 0 && (named || slices.Contains(required, field)):
			return nil, fmt.Errorf("the file has no column %q for %s; its columns are %s; say with --columns what they are called",
				name, field, strings.Join(header, ", "))
		case place >= 0 && slices.Contains(header[place+1:], name):
			return nil, fmt.Errorf("the file has two columns %q", name)
		case place >= 0:
			t.places[field] = place
		}
	}
	return t, nil
}

// next reads a row; false at the end. A row that is no CSV is returned as a problem of it, and reading goes on behind it.
func (t *table) next() (problem string, ok bool, err error) {
	row, err := t.reader.Read()
	if errors.Is(err, io.EOF) {
		return "", false, nil
	}
	t.row = row
	if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
		t.line = wrong.StartLine
		if wrong.Line > wrong.StartLine {
			return fmt.Sprintf("no CSV up to line %d: %v", wrong.Line, wrong.Err), true, nil
		}
		return fmt.Sprintf("no CSV: %v", wrong.Err), true, nil
	}
	if err != nil {
		return "", false, err
	}
	t.line, _ = t.reader.FieldPos(0)
	return "", true, nil
}

// value returns what the row has in a column, without spaces around it; nothing if the row is too short or the file has
// no such column.
func (t *table) value(field string) string {
	place, ok := t.places[field]
	if !ok || place >= len(t.row) {
		return ""
	}
	return strings.TrimSpace(t.row[place])
}
