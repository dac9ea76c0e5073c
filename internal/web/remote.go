package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// remote names the network that the request comes from: its address, of IPv6 the half that its user did not choose. What a
// proxy of ours says of an address is believed, and nobody else: everybody can write the header, so it is read from the
// right, where the proxies nearest to us have written, up to the first address that is none of them.
func (h *Handler) remote(r *http.Request) string {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := connection.Addr().Unmap().WithZone("")
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, one := range slices.Backward(forwarded) {
		if !h.trusts(address) {
			break
		}
		before, ok := parseForwarded(strings.TrimSpace(one))
		if !ok {
			break
		}
		address = before
	}
	if address.Is4() {
		return address.String()
	}
	network, _ := address.Prefix(64)
	return network.String()
}

// trusts tells whether the address is that of a proxy of ours.
func (h *Handler) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(h.parts.TrustedProxies, func(proxies netip.Prefix) bool { return proxies.Contains(address) })
}

// parseForwarded reads an address as proxies write it; some add the port.
func parseForwarded(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(text)
	if err != nil {
		var with netip.AddrPort
		with, err = netip.ParseAddrPort(text)
		address = with.Addr()
	}
	return address.Unmap().WithZone(""), err == nil
}
