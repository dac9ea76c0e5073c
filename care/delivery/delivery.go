// Package delivery hands messages over: to a mail server, and to a webhook of a provider of text messages and push
// notifications. It keeps nothing; who calls it knows what was handed over before.
package delivery
