package rules

func compileLine(text string) (*condition, error)                { return compile(Purchase, text) }
func (c *condition) holdsLine(in *input, line int) (bool, error) { return c.holds(in) }
func (c *condition) reads(field string) bool                     { return false }
func CheckLineCondition(text string) error                       { _, err := compileLine(text); return err }
