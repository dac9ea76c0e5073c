// Package problem holds what can go wrong in a way that a caller can act on.
//
// A UserError says which field of the input is at fault and how; it reaches the caller in the payload of the mutation.
// A Failure stops the whole operation and reaches the caller as a top-level error. Any other error is a bug or a fault
// of ours: it is logged and shown as one neutral sentence.
package problem

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// UserError is a problem that the caller can act on.
type UserError interface {
	error
	IsUserError()
}

// InputError is the problem that says no more than its code, its sentence and the field at fault.
type InputError struct {
	Code    Code
	Message string
	// Path leads to the input field at fault, e.g. ["input", "lines", "0", "quantity"]; empty if no single field is.
	Path []string
}

// InsufficientPointsError says how many points were asked for and how many can be spent.
type InsufficientPointsError struct {
	Code      Code
	Message   string
	Path      []string
	Required  int64
	Available int64
}

// InvalidConditionError says where a rule's condition is wrong; Line and Column count from 1.
type InvalidConditionError struct {
	Code    Code
	Message string
	Path    []string
	Line    int
	Column  int
	Hint    *string
}

// InvalidTemplateError says where the text of a message is wrong; Line counts from 1.
type InvalidTemplateError struct {
	Code    Code
	Message string
	Path    []string
	// Locale is of the text at fault.
	Locale string
	Line   int
	Hint   *string
}

// ConflictError says that someone else was faster; CurrentVersion is the version to start from, and Changes what it says
// differently from the one that the caller started from.
type ConflictError struct {
	Code           Code
	Message        string
	Path           []string
	CurrentVersion int
	Changes        []RuleFieldChange
}

// RuleFieldChange is a field that differs between two versions of a rule, as text to be read; nil: nothing is said.
type RuleFieldChange struct {
	// Field is the field of the input, e.g. award.fixed.
	Field  string
	Before *string
	After  *string
}

// CapacityBelowTakenError says on which dates more seats are taken than would be left.
type CapacityBelowTakenError struct {
	Code        Code
	Message     string
	Path        []string
	Occurrences []CapacityConflict
}

// CapacityConflict is a date of an event whose taken seats are more than would be left.
type CapacityConflict struct {
	OccurrenceID string
	SeatsTaken   int
	// BookingIDs are the bookings that hold the seats, oldest first.
	BookingIDs []string
}

func (e InputError) Error() string              { return string(e.Code) + ": " + e.Message }
func (e InsufficientPointsError) Error() string { return string(e.Code) + ": " + e.Message }
func (e InvalidConditionError) Error() string   { return string(e.Code) + ": " + e.Message }
func (e InvalidTemplateError) Error() string    { return string(e.Code) + ": " + e.Message }
func (e ConflictError) Error() string           { return string(e.Code) + ": " + e.Message }
func (e CapacityBelowTakenError) Error() string { return string(e.Code) + ": " + e.Message }

// IsUserError marks the type as one of the API's user errors.
func (InputError) IsUserError() {}

// IsUserError marks the type as one of the API's user errors.
func (InsufficientPointsError) IsUserError() {}

// IsUserError marks the type as one of the API's user errors.
func (InvalidConditionError) IsUserError() {}

// IsUserError marks the type as one of the API's user errors.
func (InvalidTemplateError) IsUserError() {}

// IsUserError marks the type as one of the API's user errors.
func (ConflictError) IsUserError() {}

// IsUserError marks the type as one of the API's user errors.
func (CapacityBelowTakenError) IsUserError() {}

// At makes a problem of the field at path, which starts below "input"; nil if no single field is at fault.
func At(code Code, path []string, format string, arguments ...any) InputError {
	made := InputError{Code: code, Message: fmt.Sprintf(format, arguments...)}
	if path != nil {
		made.Path = append([]string{"input"}, path...)
	}
	return made
}

// Problems are all that is wrong with one input. As an error it is never empty: see Err.
type Problems []UserError

// Add notes a problem of the field at path, which starts below "input".
func (p *Problems) Add(code Code, path []string, format string, arguments ...any) {
	*p = append(*p, At(code, path, format, arguments...))
}

// Below returns problems of one of several inputs, whose path starts below "input", as problems of the whole input: path
// leads from "input" to that one.
func Below(path []string, problems []UserError) []UserError {
	moved := make([]UserError, len(problems))
	for i, one := range problems {
		switch at := one.(type) {
		case InputError:
			at.Path = below(path, at.Path)
			one = at
		case InvalidTemplateError:
			at.Path = below(path, at.Path)
			one = at
		}
		moved[i] = one
	}
	return moved
}

func below(path, found []string) []string {
	return slices.Concat([]string{"input"}, path, found[min(1, len(found)):])
}

// Err returns the problems as an error, nil if there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p Problems) Error() string {
	sentences := make([]string, len(p))
	for i, one := range p {
		sentences[i] = one.Error()
	}
	return strings.Join(sentences, "; ")
}

// UserErrors returns the problems in err that its caller can act on; false if err holds anything else.
func UserErrors(err error) ([]UserError, bool) {
	var many Problems
	if errors.As(err, &many) {
		return many, true
	}
	var one UserError
	if errors.As(err, &one) {
		return []UserError{one}, true
	}
	return nil, false
}

// Failure stops the whole operation: its code becomes the top-level error's extensions.code.
type Failure struct {
	Code    Code
	Message string
	// Wait is, of RATE_LIMITED, how long until the operation can be sent again.
	Wait time.Duration
}

// RetryAfter is Wait in whole seconds, rounded up: at least 1 where there is anything to wait for.
func (f Failure) RetryAfter() int {
	return int((f.Wait + time.Second - 1) / time.Second)
}

func (f Failure) Error() string { return string(f.Code) + ": " + f.Message }

// Unauthenticated and Forbidden are what a caller hears that has not signed in, or may not do what it asked for.
var (
	Unauthenticated = Failure{Code: CodeUnauthenticated, Message: "Sign in first: send a valid bearer token."}
	Forbidden       = Failure{Code: CodeForbidden, Message: "Your role does not allow this operation."}
)

// BadUserInput is the failure of a malformed document, scalar, cursor or page size.
func BadUserInput(format string, arguments ...any) Failure {
	return Failure{Code: CodeBadUserInput, Message: fmt.Sprintf(format, arguments...)}
}

// RateLimited is the failure of an operation that comes too soon: message says of what there was too much.
func RateLimited(wait time.Duration, message string) Failure {
	return Failure{Code: CodeRateLimited, Message: message, Wait: wait}
}
