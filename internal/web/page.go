package web

import "net/http"

// GraphiQL sets styles from its scripts, hence 'unsafe-inline'; its fonts are data within the style sheet.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// formSecurityPolicy is that of pages that have forms and nothing that runs.
const formSecurityPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// writePage answers with a page of HTML that browsers may keep as long as they ask whether it has changed.
func writePage(w http.ResponseWriter, page []byte) {
	guardPage(w, contentSecurityPolicy)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(page)
}

// writeForm answers with a page of HTML that has a form, and that nobody keeps.
func writeForm(w http.ResponseWriter, status int, page []byte) {
	guardPage(w, formSecurityPolicy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page)
}

// guardPage sets the headers of pages. All pages go through here: it tells browsers to run nothing but what comes with the page,
// and to let no other page frame it or hold on to its window.
func guardPage(w http.ResponseWriter, contentSecurityPolicy string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	header.Set("Referrer-Policy", "no-referrer")
}
