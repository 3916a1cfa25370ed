// What a page gains from a script: times in the browser's zone, buttons that copy and
// collapse, keys. Every page works without it.
"use strict";

const exact = new Intl.DateTimeFormat(undefined, {
	year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short",
});
const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

// ago is a time as one says it: relative within a day, and else the date.
function ago(time) {
	const seconds = Math.round((time - Date.now()) / 1000);
	const size = Math.abs(seconds);
	if (size < 60) return relative.format(seconds, "second");
	if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
	if (size < 86400) return relative.format(Math.round(seconds / 3600), "hour") + ", " + clockTime.format(time);
	return day.format(time);
}

function showTimes(root) {
	for (const el of root.querySelectorAll("time[datetime]")) {
		const time = new Date(el.dateTime);
		if (Number.isNaN(time.getTime())) continue;
		el.textContent = ago(time);
		el.title = exact.format(time) + "\n" + el.dateTime;
	}
}

// copyText is the text of what a copy button stands for: of a document, as JSON that
// is whole even where parts of it are collapsed.
function copyText(button) {
	const json = button.closest("[data-doc]").querySelector(".json");
	if (!json) return button.closest("[data-doc]").querySelector("pre").textContent;
	const shown = json.cloneNode(true);
	for (const note of shown.querySelectorAll(".note")) note.remove();
	return indented(shown.textContent);
}

// indented breaks the lines of a JSON text. It leaves numbers and texts as they are,
// which JSON.parse would not.
function indented(json) {
	let out = "", depth = 0, inText = false;
	for (let i = 0; i < json.length; i++) {
		const c = json[i];
		if (inText) {
			out += c;
			if (c === "\\") out += json[++i];
			else if (c === '"') inText = false;
		} else if ((c === "{" || c === "[") && json[i + 1] !== "}" && json[i + 1] !== "]") {
			out += c + "\n" + "  ".repeat(++depth);
		} else if ((c === "}" || c === "]") && json[i - 1] !== "{" && json[i - 1] !== "[") {
			out += "\n" + "  ".repeat(--depth) + c;
		} else if (c === ",") {
			out += ",\n" + "  ".repeat(depth);
		} else {
			inText = c === '"';
			out += c;
		}
	}
	return out;
}

async function copy(button) {
	let done = "Copied";
	try {
		await navigator.clipboard.writeText(copyText(button));
	} catch {
		const range = document.createRange(); // no permission: select it, to copy by hand
		range.selectNodeContents(button.closest("[data-doc]").querySelector(".json, pre"));
		getSelection().removeAllRanges();
		getSelection().addRange(range);
		done = "Selected";
	}
	const label = button.textContent;
	button.textContent = done;
	setTimeout(() => { button.textContent = label; }, 1500);
}

function fold(button) {
	const all = button.closest("[data-doc]").querySelectorAll(".json details details");
	const open = [...all].some((d) => d.open);
	for (const d of all) d.open = !open;
	button.textContent = open ? "Expand all" : "Collapse all";
}

// localTime is a time as a datetime-local field has it, in the browser's zone.
function localTime(time) {
	const digits = (n, length = 2) => String(n).padStart(length, "0");
	const ms = time.getMilliseconds(), seconds = time.getSeconds();
	return `${digits(time.getFullYear(), 4)}-${digits(time.getMonth() + 1)}-${digits(time.getDate())}T${digits(time.getHours())}:${digits(time.getMinutes())}` +
		(seconds || ms ? ":" + digits(seconds) : "") + (ms ? "." + digits(ms, 3) : "");
}

// showLocal has fields of times be in the browser's zone. What the URL says stays beside
// them, since a field shows no microseconds.
function showLocal(root) {
	for (const field of root.querySelectorAll("input[data-time]")) {
		const time = new Date(field.dataset.time);
		if (field.dataset.time && Number.isNaN(time.getTime())) continue; // it is no time: it stays to be mended
		if (field.dataset.time) {
			field.type = "datetime-local";
			field.value = localTime(time);
			field.dataset.shown = field.value;
		}
		field.closest("label").querySelector("[data-zone]").textContent = "(your time)";
	}
}

// A form sends times as the URL has them. One that was not touched goes as it came.
document.addEventListener("formdata", (event) => {
	for (const field of event.target.querySelectorAll("input[data-time]")) {
		if (field.disabled || field.type !== "datetime-local" || !field.value) continue;
		const sent = field.value === field.dataset.shown ? field.dataset.time : new Date(field.value).toISOString().replace(".000Z", "Z");
		event.formData.set(field.name, sent);
	}
});

// enhance prepares what is new on the page; live.js calls it, too.
function enhance(root) {
	showTimes(root);
	showLocal(root);
	for (const el of root.querySelectorAll("[data-copy-next], [data-fold]")) el.hidden = false;
}

document.addEventListener("click", (event) => {
	const button = event.target.closest("button");
	if (!button) return;
	if (button.hasAttribute("data-copy-next")) copy(button);
	if (button.hasAttribute("data-fold")) fold(button);
});

// A form sends only what was filled in, so that the URL of a search is short.
document.addEventListener("submit", (event) => {
	if (event.target.method !== "get") return;
	for (const el of event.target.elements) if (el.name && !el.value) el.disabled = true;
	setTimeout(() => { for (const el of event.target.elements) el.disabled = false; });
});

// A slider shows where it is while it is moved. Its form is sent when a pointer lets go of
// it; with keys, which move it step by step, one presses the button.
document.addEventListener("input", (event) => {
	const number = event.target.closest(".slider")?.querySelector("output");
	if (number) number.textContent = event.target.value;
});
document.addEventListener("pointerup", (event) => {
	if (event.target.type === "range") setTimeout(() => event.target.form?.requestSubmit()); // behind its change
});

// Keys: / goes to the search, n to the next page. Not while one writes.
document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
	if (event.key === "/") {
		const field = document.querySelector(".filters input");
		if (field) { event.preventDefault(); field.focus(); }
	} else if (event.key === "n") {
		document.querySelector("[data-next]")?.click();
	}
});

// served is each element that follows changes, as the server sent it last. While it is sent
// again as it was, live.js leaves it alone: what one has folded in it stays folded.
const served = new Map();
for (const el of document.querySelectorAll("[data-live][id]")) served.set(el.id, el.outerHTML);

enhance(document);
setInterval(() => showTimes(document), 10_000);
