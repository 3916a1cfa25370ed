package redact

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// ip returns an IPv4 address in the place of another: octets of as many digits, none of which
// is above 255.
func (r *Redactor) ip(text string) string {
	sum := r.sum("ip", text, 0)
	octets := strings.Split(text, ".")
	for i, octet := range octets {
		first, many := 0, 10
		switch len(octet) {
		case 2:
			first, many = 10, 90
		case 3:
			first, many = 100, 156
		}
		octets[i] = strconv.Itoa(first + int(sum[i])%many)
	}
	if out := strings.Join(octets, "."); out != text {
		return out
	}
	octets[len(octets)-1] = strconv.Itoa(255 - int(sum[0])%9)
	return strings.Join(octets, ".")
}

// ip6 returns an IPv6 address in the place of another: the same spelling with other digits. An
// address that people have begins with four digits, so neither a time nor the address of a
// network card looks like one. What is none after all stays as it is.
func (r *Redactor) ip6(text string) string {
	rest := ""
	if strings.HasSuffix(text, ":") && !strings.HasSuffix(text, "::") { // of the sentence around it
		text, rest = strings.TrimSuffix(text, ":"), ":"
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return text + rest
	}
	for again := byte(0); ; again++ {
		if out := r.respelled(text, r.sum("ip6", addr.String(), again)); out != text || again == 255 {
			return out + rest
		}
	}
}

// respelled returns an IPv6 address with the digits of a sum, a digit for each. Zeros stay, and
// so does whether the address is a public one.
func (r *Redactor) respelled(text string, sum []byte) string {
	left, right, short := strings.Cut(text, "::")
	group := func(text string, at int) string {
		significant := strings.TrimLeft(text, "0")
		public := at == 0 && (text[0] == '2' || text[0] == '3')
		switch {
		case strings.Contains(text, "."):
			return r.ip(text)
		case significant == "" || at == 0 && !public:
			return text
		}
		n := len(significant)
		digits := fmt.Sprintf("%x%03x", 1+sum[2*at]%15, (int(sum[2*at])<<8|int(sum[2*at+1]))%4096)[:n]
		if public {
			digits = "2" + digits[1:]
		}
		return text[:len(text)-n] + digits
	}
	var groups []string
	if left != "" {
		groups = strings.Split(left, ":")
	}
	for i, text := range groups {
		groups[i] = group(text, i)
	}
	if out := strings.Join(groups, ":"); !short || right == "" {
		return out + strings.Repeat("::", strings.Count(text, "::"))
	}
	after := strings.Split(right, ":")
	for i, text := range after {
		after[i] = group(text, 8-len(after)+i)
	}
	return strings.Join(groups, ":") + "::" + strings.Join(after, ":")
}

// card returns the number of a card in the place of another. Its last digit is right where that
// of the other one is.
func (r *Redactor) card(text string) string {
	out := []byte(r.digits(text))
	last := strings.LastIndexFunc(text, unicode.IsDigit)
	wasRight := luhn([]byte(text)) == 0
	for range 10 {
		if (luhn(out) == 0) == wasRight {
			break
		}
		out[last] = '0' + (out[last]-'0'+1)%10
	}
	return string(out)
}

// luhn is what is left of the sum that the digits of a card make, 0 if they are right.
func luhn(text []byte) int {
	sum, double := 0, false
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] < '0' || text[i] > '9' {
			continue
		}
		n := int(text[i] - '0')
		if double {
			n = n*2/10 + n*2%10
		}
		sum, double = sum+n, !double
	}
	return sum % 10
}

// iban returns an IBAN in the place of another one of the same country. Its check digits are
// right where those of the other one are.
func (r *Redactor) iban(text string) string {
	packed := strings.ReplaceAll(text, " ", "")
	if len(packed) < 5 {
		return r.word(text)
	}
	account := r.by(packed, packed[4:])
	check := 98 - mod97(account+packed[:2]+"00")
	if mod97(packed[4:]+packed[:4]) != 1 {
		check = (check + 1) % 98
	}
	out, next := fmt.Sprintf("%s%02d%s", packed[:2], check, account), 0
	return strings.Map(func(c rune) rune {
		if c == ' ' {
			return c
		}
		next++
		return rune(out[next-1])
	}, text)
}

// mod97 is the remainder of an IBAN that is read as a number, a letter as two digits.
func mod97(text string) int {
	n := 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			n = (n*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			n = (n*100 + int(c-'A') + 10) % 97
		}
	}
	return n
}
