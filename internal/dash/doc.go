// Package dash is the dashboard: HTML pages for browsers, under every path that is not
// the API's.
//
// It is a client of the API in the same process: a page asks the API's handler, with the
// key that somebody signed in with, and shows the answer ([visit.get], [visit.send]). So
// roles, tenants, limits and the audit log are the API's own, and a page cannot show what
// the API would not say. What a page needs and the API does not have is added to the API.
//
// # How to add a page
//
//   - NOUN.go: the view, a struct with all that the template shows; the page, a package
//     variable made by newPage[view]("NOUN", "/section"), whose section is the entry of
//     the navigation that is marked; NOUNPages, which registers paths by s.page with the
//     role that is needed; and a function for each path, func(*visit) error. It asks the
//     API, fills the view and ends with page.show, or showLive with the topic that it
//     follows. It returns every error as it is: server.fail shows it.
//   - templates/NOUN.html: defines "main". It begins with {{with .Page}}, the view; before
//     that, and by $, the frame is there (.FormToken, .Operator, .Now). Pieces to use are
//     in templates/partials: filters, paging, badge, time, problem, headers, document,
//     changes, facts, command, input, token, attempt-rows.
//   - dash.go: NOUNPages in the list of newServer. page.go: its section, if it is a new one.
//   - tests: pages of the fake API in fake_test.go get an answer for each path that the
//     page asks, with hostile texts in every field. TestPagesShowTextsAsTexts then visits
//     the page, TestTemplatesFitTheirViews checks the template's types, and
//     TestRoutesByRole walks the path with every role. In test/browser a line in
//     TestEveryPage looks at it at 400 and 1400 pixels, in light and dark.
//
// # Rules
//
//   - The path of a page, and of a form, is the API's without /api: GET /runs/{id}/resume
//     asks before POST /runs/{id}/resume does it, and GET /deliveries/redeliver?status=failed
//     shows what a job over that filter would do. So pages link to each other's without
//     asking. Browsers post where programs PATCH or DELETE: the path then ends with what is
//     done, as /keys/{id}/delete. The API's settings are /workflows.
//   - The state of a page is in its URL. Filters have the names of the API's parameters
//     ([Filter], [newFilters]) and are handed on whole ([asked]), so that the API refuses
//     by name what it does not know. Parameters of the dashboard's own are in own.
//   - Links are made by href and search, which escape ids; an id never stands in a path
//     otherwise.
//   - Whatever changes something is a form that is posted: POST, then 303 to a page that
//     shows what came of it (?done= with a code of notices). What must not be done twice
//     has newOnce in its form and is sent by [visit.sendForm]. Before what sends, or cannot
//     be undone, stands a page of [Confirm], at the same path with GET. Each form holds
//     {{template "token" $.FormToken}}. If the API refuses a form, its page is shown
//     again with the problem and what was filled in ([page.refuse]), and the problem names
//     the fields by their labels ([Problem.mark]).
//   - Elements that show what changes have data-live and an id; a script replaces them.
//     A <details> in them that shall stay open has an id. Everything works without script.
//   - A value from outside is text for html/template. Only document.go makes HTML itself.
//   - No inline script and no style attribute: the Content-Security-Policy refuses both.
//     Pictures are SVG in the template, coloured by classes.
package dash
