package importer

import "io"

// LineAmount and ParseInstant are fuzzed by themselves.
var (
	LineAmount   = lineAmount
	ParseInstant = parseInstant
)

// ReadText reads a file as imports do.
func ReadText(path string) ([]byte, error) {
	opened, err := openFile(path, func(int64, int64) {})
	if err != nil {
		return nil, err
	}
	defer opened.on.Close()
	text, err := opened.text()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(text)
}

// ReadLines returns on which lines the rows behind the header start.
func ReadLines(text io.Reader) ([]int, error) {
	rows, err := newTable(text, nil, nil, []string{memberColumn})
	if err != nil {
		return nil, err
	}
	var lines []int
	for {
		_, ok, err := rows.next()
		if err != nil || !ok {
			return lines, err
		}
		lines = append(lines, rows.line)
	}
}
