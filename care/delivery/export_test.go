package delivery

import "crypto/x509"

// Trust makes the mailer trust certificates that are made for a test.
func (m *Mailer) Trust(authorities *x509.CertPool) { m.tls.RootCAs = authorities }
