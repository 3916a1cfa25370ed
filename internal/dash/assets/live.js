// Keeps the elements marked data-live as the server has them. The server says only that
// something changed; then the page is fetched again, and those elements are replaced. Each
// of them stays while something in it is selected or focused, and all while one has paused.
"use strict";

const box = document.querySelector(".live");
const state = box.querySelector(".live-state");
const pause = box.querySelector("[data-pause]");
let waiting = false; // something changed that is not shown yet
let fetching = false;
let again = false;  // something changed while the page was being fetched
let lost = false;   // there is no stream now
let next = 0;       // when the page may be fetched again, on the clock of performance.now
let timer = 0;      // that fetches it then

// A page that took long is fetched less often: many viewers at once shall not take the
// server's time from those who send orders.
const leastPause = 1000, pausesPerFetch = 20, pauseAfterFailure = 5000; // ms

const paused = () => pause.getAttribute("aria-pressed") === "true";

// busy says whether somebody works with what would be replaced: it has the focus, a part
// of it is selected, or the pointer is on what one is about to click.
function busy(el) {
	const selection = getSelection();
	return el.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(el, true)) ||
		el.querySelector(":is(a, button, summary):hover") !== null;
}

function show() {
	box.classList.toggle("paused", paused() || waiting);
	box.classList.toggle("lost", lost);
	const text = lost ? "not live, trying again" : paused() ? (waiting ? "paused, there is news" : "paused") : waiting ? "waits while you are in it" : "live";
	if (state.textContent !== text) state.textContent = text;
}

async function refresh() {
	if (fetching || !waiting) return;
	if (paused() || document.hidden) return show();
	const began = performance.now();
	if (began < next) {
		clearTimeout(timer);
		timer = setTimeout(refresh, next - began);
		return;
	}
	fetching = true;
	waiting = again = false;
	let failed = true;
	try {
		const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
		if (answer.type === "opaqueredirect") return location.reload(); // the session has ended
		if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
		failed = !answer.ok;
	} catch {
		// the server cannot be reached: the stream says so, too
	} finally {
		fetching = false;
		next = performance.now() + Math.max(leastPause, pausesPerFetch * (performance.now() - began));
		if (failed) {
			waiting = true;
			clearTimeout(timer);
			timer = setTimeout(refresh, pauseAfterFailure);
		} else if (again) {
			refresh(); // what was fetched may be without it
		}
		show();
	}
}

function replace(page) {
	if (paused()) {
		waiting = true;
		return;
	}
	for (const old of document.querySelectorAll("[data-live][id]")) {
		const fresh = page.getElementById(old.id);
		if (!fresh || served.get(old.id) === fresh.outerHTML) continue;
		if (busy(old)) {
			waiting = true; // the others are replaced meanwhile
			continue;
		}
		served.set(old.id, fresh.outerHTML);
		for (const d of old.querySelectorAll("details[id]")) {
			const same = fresh.querySelector("#" + CSS.escape(d.id));
			if (same) same.open = d.open;
		}
		const known = new Set([...old.querySelectorAll("tr[data-id]")].map((row) => row.dataset.id));
		if (known.size) for (const row of fresh.querySelectorAll("tr[data-id]")) row.classList.toggle("fresh", !known.has(row.dataset.id));
		enhance(fresh);
		old.replaceWith(document.adoptNode(fresh));
	}
}

function news() {
	waiting = true;
	again = fetching;
	refresh();
}

pause.addEventListener("click", () => {
	pause.setAttribute("aria-pressed", String(!paused()));
	pause.textContent = paused() ? "Go on" : "Pause";
	show();
	refresh();
});
document.addEventListener("pointerout", () => { if (waiting) setTimeout(refresh); });
document.addEventListener("selectionchange", () => { if (waiting) refresh(); });
document.addEventListener("focusout", () => setTimeout(refresh));

// A page that nobody sees has no stream: a browser opens few connections to one server,
// and all its tabs share them.
let source = null;

function listen() {
	if (document.hidden) {
		source?.close();
		source = null;
		return;
	}
	if (source) return;
	source = new EventSource("/live?topic=" + encodeURIComponent(document.body.dataset.topic));
	source.addEventListener("open", () => {
		box.hidden = false;
		lost = false;
		news(); // whatever happened before
	});
	source.addEventListener("change", news);
	source.addEventListener("error", () => {
		lost = true;
		box.hidden = false;
		show();
		// A browser tries again by itself where the connection broke, but not where the
		// server refused it: too many look on, or the session has ended.
		if (source?.readyState === EventSource.CLOSED) {
			source = null;
			setTimeout(listen, 15_000);
		}
	});
}

document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => { source?.close(); source = null; });
addEventListener("pageshow", listen);
listen();
