package template

import (
	"slices"
	"strings"
	"text/template/parse"
)

// functionNames are the functions that texts may use.
var functionNames = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "number"}

// unknown says that there is no such field here, and which may have been meant.
func (c *checker) unknown(node parse.Node) error {
	written := node.String()
	path := strings.TrimPrefix(written, "$")
	var here []string
	for _, one := range fields {
		if slices.Contains(one.occasions, c.kind) {
			here = append(here, one.path())
		}
	}
	for _, one := range fields {
		if one.path() == path {
			return c.wrong(node, nearest(path, here), "%s is not known in texts for %s.", written, c.kind)
		}
	}
	return c.wrong(node, nearest(path, here), "There is no %s in texts for %s.", written, c.kind)
}

// nearest is what may have been meant: the path with the same last word, or the one with the fewest other letters.
func nearest(path string, here []string) string {
	last := strings.ToLower(path[strings.LastIndex(path, ".")+1:])
	best, least := "", 0
	for _, one := range here {
		if strings.HasPrefix(path, one+".") {
			return one
		}
		name := strings.ToLower(one[strings.LastIndex(one, ".")+1:])
		away := min(distance(strings.ToLower(path), strings.ToLower(one)), distance(last, name))
		if away <= max(1, len(name)/3) && (best == "" || away < least) {
			best, least = one, away
		}
	}
	if best == "" {
		return "there are " + strings.Join(here, ", ")
	}
	return best
}

// distance is how many letters have to be changed, left out or added to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above+1, row[j]+1, diagonal+cost)
			diagonal = above
		}
	}
	return row[len(b)]
}
