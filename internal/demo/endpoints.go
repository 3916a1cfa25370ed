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
// server: what somebody who integrates with orderhook would write.
type endpoints struct {
	url         string
	token       string // that orderhook must send
	secret      string // that orderhook signs with what goes to the ERP
	eventSecret string // and what goes to the warehouse
	server      *http.Server
	ended       chan error
}

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
	mux := http.NewServeMux()
	mux.HandleFunc("POST /enrich", e.enrich)
	mux.HandleFunc("POST /fraud", fraud)
	mux.Handle("POST /erp", newERP(e.token, e.secret))
	mux.Handle("POST /pick", newWarehouse(e.eventSecret))
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { e.ended <- e.server.Serve(listener) }()
	return e, nil
}

func (e *endpoints) close() error {
	err := e.server.Close()
	if ended := <-e.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func random() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// stepRequest is as much of a step's request as these endpoints look at.
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

type address struct{ CountryCode string }

type orderLine struct {
	LineItemID  string
	Code, Brand string
	Quantity    json.Number
	PlacedPrice json.Number
}

type property struct{ Key, Value string }

// stepAnswer is what they answer with.
type stepAnswer struct {
	OrderActionExecutionResults []stepResult
	OrderPatch                  map[string]any `json:",omitempty"`
}

type stepResult struct {
	ActionStatus   string
	CancelWorkflow bool   `json:",omitempty"`
	ErrorReason    string `json:",omitempty"`
}

func success(patch map[string]any) stepAnswer {
	return stepAnswer{[]stepResult{{ActionStatus: "Success"}}, patch}
}

// maxRequest is far beyond any order of the demo.
const maxRequest = 1 << 20

// readStep reads a request and returns its exact bytes too, which a signature
// is made over. It answers for a request that it cannot read.
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

func reply(w http.ResponseWriter, a stepAnswer) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a)
}
