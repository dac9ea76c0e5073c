package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"regulars/care/occasion"
)

// shape is what an expression of a template gives: a kind of value, or, of the groups, what is in it.
type shape struct {
	kind  byte
	group map[string]shape
}

// The shapes.
var (
	text    = shape{kind: 's'}
	number  = shape{kind: 'i'}
	boolean = shape{kind: 'b'}
)

func (s shape) is(other shape) bool { return s.kind == other.kind && s.kind != 0 }

func (s shape) String() string {
	switch s.kind {
	case 's':
		return "string"
	case 'i':
		return "int"
	case 'b':
		return "bool"
	default:
		return "group"
	}
}

// shapeOf is what there is in the texts of an occasion.
func shapeOf(kind occasion.Kind) shape {
	root := map[string]shape{}
	for _, one := range fields {
		if !slices.Contains(one.occasions, kind) {
			continue
		}
		if root[one.group].group == nil {
			root[one.group] = shape{group: map[string]shape{}}
		}
		root[one.group].group[one.name] = one.shape
	}
	return shape{group: root}
}

// maximumDepth is how deep the parts of a template may be nested: beyond that nobody reads it.
const maximumDepth = 20

// flaw is what is wrong with a template, and where.
type flaw struct {
	at            parse.Pos
	message, hint string
}

func (f *flaw) Error() string { return f.message }

// checker walks all of a template, also what no sample would take, and admits what is listed here and nothing else.
type checker struct {
	kind  occasion.Kind
	root  shape
	depth int
}

func (c *checker) wrong(node parse.Node, hint, format string, arguments ...any) error {
	return &flaw{at: node.Position(), message: fmt.Sprintf(format, arguments...), hint: hint}
}

func (c *checker) list(list *parse.ListNode, dot shape) error {
	if list == nil {
		return nil
	}
	if c.depth++; c.depth > maximumDepth {
		return c.wrong(list, "", "The text is nested deeper than %d levels.", maximumDepth)
	}
	defer func() { c.depth-- }()
	for _, node := range list.Nodes {
		if err := c.node(node, dot); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) node(node parse.Node, dot shape) error {
	switch node := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		shown, err := c.pipe(node.Pipe, dot)
		if err == nil && shown.group != nil {
			return c.wrong(node, "name one of its fields, e.g. .Member.DisplayName", "%s stands for several values and cannot be shown.", node.Pipe)
		}
		return err
	case *parse.IfNode:
		if _, err := c.pipe(node.Pipe, dot); err != nil {
			return err
		}
		if err := c.list(node.List, dot); err != nil {
			return err
		}
		return c.list(node.ElseList, dot)
	case *parse.WithNode:
		inner, err := c.pipe(node.Pipe, dot)
		if err != nil {
			return err
		}
		if err := c.list(node.List, inner); err != nil {
			return err
		}
		return c.list(node.ElseList, dot)
	default:
		word, _, _ := strings.Cut(strings.TrimLeft(node.String(), "{- "), " ")
		return c.wrong(node, "", "%q cannot be used in texts: if, with, else and end can.", strings.TrimRight(word, "}"))
	}
}

func (c *checker) pipe(pipe *parse.PipeNode, dot shape) (shape, error) {
	if len(pipe.Decl) > 0 {
		return shape{}, c.wrong(pipe, "use with to say something about a value", "A text cannot set variables.")
	}
	if c.depth++; c.depth > maximumDepth {
		return shape{}, c.wrong(pipe, "", "The text is nested deeper than %d levels.", maximumDepth)
	}
	defer func() { c.depth-- }()
	var piped []shape
	for _, command := range pipe.Cmds {
		found, err := c.command(command, piped, dot)
		if err != nil {
			return shape{}, err
		}
		piped = []shape{found}
	}
	return piped[0], nil
}

// command is a function with its arguments, the last of which may come from the command before it, or a single value.
func (c *checker) command(command *parse.CommandNode, piped []shape, dot shape) (shape, error) {
	function, calls := command.Args[0].(*parse.IdentifierNode)
	if !calls {
		if len(command.Args) > 1 || len(piped) > 0 {
			return shape{}, c.wrong(command, "", "%s is no function.", command.Args[0])
		}
		return c.operand(command.Args[0], dot)
	}
	var given []shape
	for _, argument := range command.Args[1:] {
		found, err := c.operand(argument, dot)
		if err != nil {
			return shape{}, err
		}
		given = append(given, found)
	}
	return c.call(function, append(given, piped...))
}

func (c *checker) operand(node parse.Node, dot shape) (shape, error) {
	switch node := node.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.FieldNode:
		return c.field(node, node.Ident, dot)
	case *parse.VariableNode:
		if node.Ident[0] == "$" {
			return c.field(node, node.Ident[1:], c.root)
		}
		return shape{}, c.wrong(node, "", "There is no %s: a text cannot set variables.", node.Ident[0])
	case *parse.StringNode:
		return text, nil
	case *parse.BoolNode:
		return boolean, nil
	case *parse.NumberNode:
		if _, err := strconv.ParseInt(node.Text, 10, 64); err != nil {
			return shape{}, c.wrong(node, "", "%s is not a whole number.", node)
		}
		return number, nil
	case *parse.PipeNode:
		return c.pipe(node, dot)
	case *parse.IdentifierNode:
		return c.call(node, nil)
	default:
		return shape{}, c.wrong(node, "", "%s cannot be used in texts.", node)
	}
}

func (c *checker) field(node parse.Node, path []string, in shape) (shape, error) {
	for _, name := range path {
		inner, ok := in.group[name]
		if !ok {
			return shape{}, c.unknown(node)
		}
		in = inner
	}
	return in, nil
}

// call is a function with what it is given: those that compare and decide, and number.
func (c *checker) call(node *parse.IdentifierNode, given []shape) (shape, error) {
	for _, one := range given {
		if one.group != nil {
			return shape{}, c.wrong(node, "name one of its fields, e.g. .Member.DisplayName", "%s takes single values.", node.Ident)
		}
	}
	same := true
	for _, one := range given {
		same = same && one.is(given[0])
	}
	switch name := node.Ident; name {
	case "number":
		if len(given) != 1 || !given[0].is(number) {
			return shape{}, c.wrong(node, "", "number takes one number, e.g. {{number .Occasion.GiftPoints}}.")
		}
		return text, nil
	case "not":
		if len(given) != 1 {
			return shape{}, c.wrong(node, "", "not takes one value.")
		}
		return boolean, nil
	case "and", "or":
		if len(given) == 0 || !same {
			return shape{}, c.wrong(node, "compare first, e.g. (gt .Occasion.Years 0)", "%s takes values of one type.", name)
		}
		return given[0], nil
	case "eq":
		if len(given) < 2 || !same {
			return shape{}, c.wrong(node, "", "eq takes two or more values of one type.")
		}
		return boolean, nil
	case "ne":
		if len(given) != 2 || !same {
			return shape{}, c.wrong(node, "", "ne takes two values of one type.")
		}
		return boolean, nil
	case "lt", "le", "gt", "ge":
		if len(given) != 2 || !same || given[0].is(boolean) {
			return shape{}, c.wrong(node, "", "%s takes two numbers, or two strings.", name)
		}
		return boolean, nil
	default:
		return shape{}, c.wrong(node, "", "The function %q cannot be used in texts: %s can.", name, strings.Join(functionNames, ", "))
	}
}
