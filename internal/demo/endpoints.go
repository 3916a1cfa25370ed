package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// endpoints are the four systems around the shop, each at a path of one
// server: what somebody who integrates with orderhook would write. The secrets are made
// anew each time, so that nothing in the repository looks like one. ended gets the error
// with which the server has ended.
type endpoints struct {
	url         string
	token       string // that orderhook must send
	secret      string // that orderhook signs with what goes to the ERP
	eventSecret string // and what goes to the warehouse
	server      *http.Server
	ended       chan error
}

// startEndpoints starts them on any free port of loopback. The caller closes them.
func startEndpoints(ctx context.Context) (*endpoints, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &endpoints{
		url:         "http://" + listener.Addr().String(),
		token:       random(),
		secret:      "whsec_" + random(),
		eventSecret: "whsec_" + random(),
		ended:       make(chan error, 1),
	}
	// Each path is one system. The enrichment checks a key, the warehouse a signature,
	// and the ERP both.
	mux := http.NewServeMux()
	mux.HandleFunc("POST /enrich", e.enrich)
	mux.HandleFunc("POST /fraud", fraud)
	mux.Handle("POST /erp", newERP(e.token, e.secret))
	mux.Handle("POST /pick", newWarehouse(e.eventSecret))
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { e.ended <- e.server.Serve(listener) }()
	return e, nil
}

// close ends the server with all its connections, and waits until it has ended.
func (e *endpoints) close() error {
	err := e.server.Close()
	// Close makes Serve return with this error; any other one came before.
	if ended := <-e.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// random is 24 random bytes in base64: the least that Standard Webhooks asks of a secret.
func random() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// stepRequest is as much of a step's request as these endpoints look at. Requests of
// steps begin each name with a capital letter (docs/contract.md#names), and encoding/json
// reads names in any case.
type stepRequest struct {
	Value struct {
		ID                   string
		CustomerClubMemberID string
		CustomerType         string
		IsNewCustomer        bool
		BillingAddress       address
		ShippingAddress      address
		OrderLines           []orderLine
	}
	WorkflowStep struct{ Properties []property }
}

// address is as much of an address as the fraud check looks at.
type address struct{ CountryCode string }

// orderLine is a line of an order. Its numbers are read as their digits.
type orderLine struct {
	LineItemID  string
	Code, Brand string
	Quantity    json.Number
	PlacedPrice json.Number
}

// property is a property of a step's configuration, or one that an endpoint sets on the
// order.
type property struct{ Key, Value string }

// stepAnswer is what they answer with. Everything in it may be left out; an empty answer
// is a success that changes nothing.
type stepAnswer struct {
	OrderActionExecutionResults []stepResult
	OrderPatch                  map[string]any `json:",omitempty"`
}

// stepResult is one result. CancelWorkflow is what stops a workflow, and not the status
// (docs/contract.md#effects).
type stepResult struct {
	ActionStatus   string
	CancelWorkflow bool   `json:",omitempty"`
	ErrorReason    string `json:",omitempty"`
}

// success is the answer of an endpoint that has something to change, and nothing to
// complain about.
func success(patch map[string]any) stepAnswer {
	return stepAnswer{[]stepResult{{ActionStatus: "Success"}}, patch}
}

// maxRequest is far beyond any order of the demo. An endpoint should not read whatever is
// sent to it.
const maxRequest = 1 << 20

// readStep reads a request and returns its exact bytes too, which a signature
// is made over. It answers for a request that it cannot read. 400 says that the request
// itself is wrong, so orderhook does not send it again (docs/contract.md#outcomes).
func readStep(w http.ResponseWriter, r *http.Request) (req stepRequest, body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil {
		err = json.Unmarshal(body, &req)
	}
	if err != nil {
		http.Error(w, "this is no order", http.StatusBadRequest)
	}
	return req, body, err == nil
}

// reply answers with 200. If the caller has gone, there is nobody to tell.
func reply(w http.ResponseWriter, a stepAnswer) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a)
}
