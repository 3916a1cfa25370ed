package redact

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// sensitiveNames end the names of members that are replaced wherever they stand. Names are
// compared without case, accents and punctuation. Those of other languages are the ones that
// shops of the Nordic countries, Germany, Austria and Switzerland have.
var sensitiveNames = []string{
	// who somebody is
	"customername", "firstname", "lastname", "middlename", "fullname", "givenname", "familyname", "surname", "contactname", "recipientname",
	"companyname", "username", "salespersonname", "careof", "attention", "birthdate", "birthday", "dateofbirth", "gender",
	"fornavn", "etternavn", "mellomnavn", "efternavn", "kundenavn", "kontaktnavn", "fornamn", "efternamn", "kundnamn",
	"fodselsdato", "fodselsdag", "fodelsedatum", "personnummer", "personnr", "fodselsnummer", "fodselsnr", "cprnummer", "cprnr", "henkilotunnus",
	"organisasjonsnummer", "organisationsnummer", "orgnummer", "orgnr",
	"vorname", "nachname", "familienname", "kundenname", "geburtsdatum", "geburtstag", "steuernummer", "steuerid", "ustidnr",
	"ssn", "nationalid", "nationalidnumber", "personalnumber", "socialsecuritynumber", "organizationnumber", "vatnumber", "taxid", "passportnumber",
	// how one reaches them
	"email", "emailaddress", "phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "telephone", "fax", "faxnumber",
	"epost", "epostadresse", "epostadress", "telefon", "telefonnummer", "telefonnr", "mobilnummer", "mobilnr", "handynummer",
	"gateadresse", "gatuadress", "gatenavn", "husnummer", "postnummer", "postnr", "strasse", "hausnummer", "postleitzahl", "plz",
	"street", "streetname", "streetaddress", "housenumber", "line1", "line2", "line3", "address1", "address2", "addressline", "addressline1", "addressline2",
	"postalcode", "postcode", "zip", "zipcode", "ipaddress", "clientip", "customerip",
	// what they pay with, and what opens something
	"kontonummer", "kontonr", "bankkonto", "kortnummer", "kartennummer",
	"iban", "accountnumber", "bankaccount", "cardnumber", "cardno", "maskedcardnumber", "lastfour", "last4", "cardholder", "cvc", "cvv",
	"authorizationcode", "transactionid", "devicefingerprint",
	"password", "secret", "token", "apikey", "authorization", "accesskey",
	// what they have written
	"giftmessage", "giftcardmessage", "greeting", "comment", "comments", "customermessage", "deliveryinstructions",
}

// personalObjects end the names of objects that are about a person.
var personalObjects = []string{"address", "addresses", "customer", "contact", "contactperson", "recipient", "buyer", "payer", "consignee", "person",
	"adresse", "adress", "kunde", "kontakt", "kontaktperson", "ansprechpartner", "mottaker", "mottagare", "modtager", "empfanger", "empfaenger"}

// plainInPersonal are parts of the names of what stays in such an object: endpoints decide
// by it, and many people share it.
var plainInPersonal = []string{"country", "region", "language", "currency", "type", "market", "latitude", "longitude", "status", "segment", "group", "level", "tier", "tags"}

// fixedNames end the names of members whose words stay: the engine goes by them, and a word
// of somebody's name may be in them by chance.
var fixedNames = []string{"status", "ordertype", "type", "types", "kind", "currency", "currencycode", "key", "keygroup", "translatekey",
	"version", "created", "modified", "occurred", "connector", "format", "severity", "implementations", "runid"}

// identifyingNames end the names of members in which people's names alone are replaced: ids
// and tags are made of them, and of words that stand in addresses, too.
var identifyingNames = []string{"id", "ids", "code", "sku", "tags", "displayname", "host", "url"}

func endsWithAny(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// fixed reports whether the words of a member of a name stay.
func fixed(name string) bool { return endsWithAny(name, fixedNames) }

func identifying(name string) bool { return endsWithAny(name, identifyingNames) }

// namesOfNames are parts of the names of members that hold the name of somebody, and placeNames
// of those that hold the name of something else.
var (
	namesOfNames = []string{"name", "cardholder", "careof", "attention", "salesperson", "contactperson", "recipient",
		"navn", "namn", "kontakt", "ansprechpartner", "mottaker", "mottagare", "modtager", "empfanger", "empfaenger"}
	placeNames = []string{"street", "city", "region", "country"}
)

// ofPerson reports whether a member that is replaced is the name of somebody.
func ofPerson(name string) bool {
	return containsAny(name, namesOfNames) && !containsAny(name, placeNames)
}

func containsAny(name string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
}

// mailboxes are the local parts of e-mail addresses that nobody is called by.
var mailboxes = []string{"info", "post", "mail", "email", "order", "orders", "sales", "contact", "kontakt", "admin", "support", "shop", "web", "test", "user", "customer", "cust", "office", "invoice", "faktura"}

// phoneNames are parts of the names of members that hold telephone numbers.
var phoneNames = []string{"phone", "mobil", "fax", "telefon"}

// telephone is the name of such a member that is no part of other words, as of hotel.
var telephone = regexp.MustCompile(`^(customer|contact|home|work|private|billing|shipping|delivery)?tel(no|nr|number|home|work|private|[0-9])?$`)

func isPhone(name string) bool { return containsAny(name, phoneNames) || telephone.MatchString(name) }

// secretParameters are parts of the names of what is replaced in the queries of URLs.
var secretParameters = []string{"token", "sig", "key", "code", "secret", "password", "passwd", "pwd", "auth", "credential", "session", "jwt", "hmac"}

var (
	email = regexp.MustCompile(`[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)
	// userOrEmail also matches the user and the password of a URL, which are no e-mail address
	// together with its host.
	userOrEmail = regexp.MustCompile(`://[^/?#\s"'<>]*@|` + email.String())
	// parameter is of the query of a URL, or of what follows its #.
	parameter = regexp.MustCompile(`([?&;#])([^=&?;#\s]{1,64})=([^&;#\s"'<>]+)`)
	// word is what stands between white space and punctuation.
	word = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+`)
	// part is a part of a word: letters, or digits; a capital begins another.
	part = regexp.MustCompile(`\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}[\p{Lu}\p{M}]*|\p{L}+|\p{N}+`)
	// number is what may be a telephone number, however it is written.
	number = regexp.MustCompile(`\+?\d[\d ()/.-]{4,}\d`)
)

// A pattern is of what is replaced wherever it stands. form says how, so that what was valid
// still is; nil: letter by letter.
type pattern struct {
	is   *regexp.Regexp
	form func(*Redactor, string) string
}

var patterns = []pattern{
	{regexp.MustCompile(`\+\d[\d ()/.-]{6,}\d`), (*Redactor).digits},                                      // a telephone number with its country
	{regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b`), (*Redactor).iban}, // an IBAN
	{regexp.MustCompile(`\b[3-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}\b`), (*Redactor).card},              // the number of a card
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]*`), nil},                                              // a JSON Web Token
	{regexp.MustCompile(`\b(?:whsec|whsk|sk|pk|rk|ohk|ghp|xox[bp])_[\w+/=-]{8,}`), nil},                   // a key of a service
	{regexp.MustCompile(`\b(?:Bearer|Basic|Token) [\w.~+/=-]{8,}`), nil},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}`), (*Redactor).ip6}, // before those of IPv4, which may end it
	{regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b`), (*Redactor).ip},
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
