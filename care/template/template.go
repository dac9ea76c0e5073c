// Package template is pure: the texts of messages, what may stand in them, and how they are filled.
package template

// Text is what is said in one language.
type Text struct {
	// Locale is a BCP 47 tag, e.g. zh-Hans.
	Locale string `json:"locale"`
	// Subject is one line; nil: none.
	Subject *string `json:"subject,omitempty"`
	// Body is plain text. HTML is derived from it unless it is given.
	Body string  `json:"body"`
	HTML *string `json:"html,omitempty"`
}
