package redact

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// sensitiveNames end the names of members that are replaced wherever they stand. Names are
// compared without case and punctuation.
var sensitiveNames = []string{
	// who somebody is
	"customername", "firstname", "lastname", "middlename", "fullname", "givenname", "familyname", "surname", "contactname", "recipientname",
	"companyname", "username", "salespersonname", "careof", "attention", "birthdate", "birthday", "dateofbirth", "gender",
	"ssn", "nationalid", "nationalidnumber", "personalnumber", "socialsecuritynumber", "organizationnumber", "vatnumber", "taxid", "passportnumber",
	// how one reaches them
	"email", "emailaddress", "phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "telephone", "fax", "faxnumber",
	"street", "streetname", "streetaddress", "housenumber", "line1", "line2", "line3", "address1", "address2", "addressline", "addressline1", "addressline2",
	"postalcode", "postcode", "zip", "zipcode", "ipaddress", "clientip", "customerip",
	// what they pay with, and what opens something
	"iban", "accountnumber", "cardnumber", "maskedcardnumber", "cardholder", "cvc", "cvv",
	"password", "secret", "token", "apikey", "authorization", "accesskey",
	// what they have written
	"giftmessage", "giftcardmessage", "greeting", "comment", "comments", "customermessage", "deliveryinstructions",
}

// personalObjects end the names of objects that are about a person.
var personalObjects = []string{"address", "addresses", "customer", "contact", "contactperson", "recipient", "buyer", "payer", "consignee", "person"}

// plainInPersonal are parts of the names of what stays in such an object: endpoints decide
// by it, and many people share it.
var plainInPersonal = []string{"country", "region", "language", "currency", "type", "market", "latitude", "longitude", "status", "segment", "group", "level", "tier", "tags"}

// fixedNames end the names of members whose words stay: the engine and endpoints go by them,
// and a word of somebody's name may be in them by chance.
var fixedNames = []string{"id", "ids", "code", "sku", "status", "ordertype", "type", "types", "kind", "currency", "currencycode", "key", "keygroup", "tags", "translatekey",
	"version", "created", "modified", "occurred", "connector", "format", "severity", "displayname", "implementations", "runid", "host", "url"}

// fixed reports whether the words of a member of a name stay.
func fixed(name string) bool {
	return slices.ContainsFunc(fixedNames, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// phoneNames are parts of the names of members that hold telephone numbers.
var phoneNames = []string{"phone", "mobile", "fax"}

func isPhone(name string) bool {
	return slices.ContainsFunc(phoneNames, func(part string) bool { return strings.Contains(name, part) })
}

var (
	email = regexp.MustCompile(`[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)
	// word is what stands between white space and punctuation.
	word = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+`)
	// number is what may be a telephone number, however it is written.
	number = regexp.MustCompile(`\+?\d[\d ()/.-]{4,}\d`)
)

// patterns are of what is replaced wherever it stands.
var patterns = []*regexp.Regexp{
	regexp.MustCompile(`\+\d[\d ()/.-]{6,}\d`),                                        // a telephone number with its country
	regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b`), // an IBAN
	regexp.MustCompile(`\b[3-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}\b`),              // the number of a card
	regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]*`),                                 // a JSON Web Token
	regexp.MustCompile(`\b(?:whsec|whsk|sk|pk|rk|ohk|ghp|xox[bp])_[\w+/=-]{8,}`),      // a key of a service
	regexp.MustCompile(`\b(?:Bearer|Basic|Token) [\w.~+/=-]{8,}`),
	regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b`), // an IP address
}

// timeIn reads a time or a date, whose digits are no number, and says how it is written.
func timeIn(text string) (at time.Time, layout string, ok bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, layout, true
		}
	}
	return at, "", false
}
