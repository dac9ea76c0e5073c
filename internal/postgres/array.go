package postgres

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Array writes one column of rows as PostgreSQL reads an array, for statements that insert or look up many rows at once
// by unnest or any; name the type in the statement ($1::bigint[]). A column holds bool, int, int64, string, time.Time,
// pointers to these (nil is NULL), or a [driver.Valuer] of these such as an id.
//
// It exists because lib/pq writes arrays of values that may be NULL by reflection, at ten times the cost.
func Array[T, V any](rows []T, column func(T) V) (string, error) {
	var array strings.Builder
	array.Grow(2 + 16*len(rows))
	array.WriteByte('{')
	for i, row := range rows {
		if i > 0 {
			array.WriteByte(',')
		}
		if err := writeElement(&array, column(row)); err != nil {
			return "", err
		}
	}
	array.WriteByte('}')
	return array.String(), nil
}

// ExecRows runs one statement over many rows, whose columns become its arguments as [Array] writes them. Without rows it
// does nothing.
func ExecRows[T any](ctx context.Context, q Runner, rows []T, statement string, columns ...func(T) any) error {
	if len(rows) == 0 {
		return nil
	}
	arguments := make([]any, len(columns))
	for i, column := range columns {
		array, err := Array(rows, column)
		if err != nil {
			return err
		}
		arguments[i] = array
	}
	_, err := q.Exec(ctx, statement, arguments...)
	return err
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func writeElement(array *strings.Builder, element any) error {
	switch element := element.(type) {
	case nil:
		array.WriteString("NULL")
	case bool:
		array.WriteString(strconv.FormatBool(element))
	case int:
		array.WriteString(strconv.Itoa(element))
	case int64:
		array.WriteString(strconv.FormatInt(element, 10))
	case string:
		array.WriteByte('"')
		array.WriteString(quoted.Replace(element))
		array.WriteByte('"')
	case time.Time:
		array.WriteByte('"')
		array.WriteString(element.UTC().Format(time.RFC3339Nano))
		array.WriteByte('"')
	case *int:
		return writePointer(array, element)
	case *int64:
		return writePointer(array, element)
	case *string:
		return writePointer(array, element)
	case *time.Time:
		return writePointer(array, element)
	case driver.Valuer:
		if pointer := reflect.ValueOf(element); pointer.Kind() == reflect.Pointer && pointer.IsNil() {
			array.WriteString("NULL")
			return nil
		}
		value, err := element.Value()
		if err != nil {
			return err
		}
		return writeElement(array, value)
	default:
		return fmt.Errorf("an array cannot hold a %T", element)
	}
	return nil
}

func writePointer[V any](array *strings.Builder, pointer *V) error {
	if pointer == nil {
		array.WriteString("NULL")
		return nil
	}
	return writeElement(array, *pointer)
}
