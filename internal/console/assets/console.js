// The console works without this file. It adds dialogs, copying, live updates, and
// times in the reader's zone. Text from the server or the user is inserted as text
// only; markup comes only from the console's own pages.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const long = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

// localTimes shows exact times in the reader's zone.
function localTimes(root = document) {
	for (const t of $$("time[datetime]", root)) {
		const at = new Date(t.dateTime);
		if (isNaN(at)) continue;
		const text = `${exact.format(at)} (${zone})`;
		if ("exact" in t.dataset) t.textContent = text;
		t.title = text;
	}
}

function parsePage(html) {
	return new DOMParser().parseFromString(html, "text/html");
}

// ---- controls ----

for (const e of $$("[data-script]")) e.hidden = false;
localTimes();

for (const b of $$("[data-reveal]")) {
	b.addEventListener("click", () => {
		const input = document.getElementById(b.dataset.reveal);
		const show = input.type === "password";
		input.type = show ? "text" : "password";
		b.setAttribute("aria-pressed", String(show));
		b.setAttribute("aria-label", show ? "Hide password" : "Show password");
	});
}

for (const form of $$("form[data-once]")) {
	form.addEventListener("submit", (event) => {
		if (form.dataset.sent) {
			event.preventDefault();
			return;
		}
		form.dataset.sent = "yes";
		const b = $("button.primary", form);
		setTimeout(() => {
			b.disabled = true;
			if (form.dataset.once) b.textContent = form.dataset.once;
		});
	});
}
addEventListener("pageshow", (event) => {
	if (event.persisted && $("form[data-once][data-sent]")) location.reload();
});

const roleSelect = $("select[data-role]");
if (roleSelect) {
	roleSelect.addEventListener("change", () => ($("#role-can").textContent = roleSelect.selectedOptions[0]?.dataset.can ?? ""));
}

const themeForm = $("[data-theme-form]");
themeForm?.addEventListener("submit", async (event) => {
	event.preventDefault();
	const theme = event.submitter?.value ?? "system";
	if (theme === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
	for (const b of $$("button", themeForm)) b.setAttribute("aria-pressed", String(b.value === theme));
	await fetch(themeForm.action, { method: "POST", body: new URLSearchParams({ theme, next: "/" }), redirect: "manual" }).catch(() => {});
});

const toast = $(".toast");
if (toast) {
	setTimeout(() => toast.classList.add("leaving"), 5000);
	setTimeout(() => toast.remove(), 5600);
}

// The list is searched while somebody types. The address keeps the search.
const search = $("[data-live-search]");
if (search) {
	const input = $("input[type=search]", search);
	let timer, last = input.value, run = 0;
	const go = async () => {
		if (input.value === last) return;
		last = input.value;
		const url = new URL(search.action);
		if (last) url.searchParams.set("query", last);
		const filter = $("input[name=filter]", search);
		if (filter) url.searchParams.set("filter", filter.value);
		const mine = ++run;
		const answer = await fetch(url).catch(() => null);
		if (!answer || mine !== run) return;
		if (!answer.ok || answer.redirected) {
			location.assign(url);
			return;
		}
		const page = parsePage(await answer.text());
		const list = $("#list", page), views = $(".views", page);
		if (mine !== run || !list) return;
		$("#list").replaceWith(document.adoptNode(list));
		if (views) $(".views").replaceWith(document.adoptNode(views));
		for (const e of $$("#list [data-script]")) e.hidden = false;
		localTimes($("#list"));
		quietSaves($("#list"));
		history.replaceState(null, "", url);
	};
	input.addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(go, 300);
	});
}

// ---- dialogs ----

// onBackdrop calls fn on a click that begins and ends outside of the dialog.
function onBackdrop(dialog, fn) {
	const outside = (e) => {
		const r = dialog.getBoundingClientRect();
		return e.target === dialog && (e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom);
	};
	let down = false;
	dialog.addEventListener("pointerdown", (e) => (down = outside(e)));
	dialog.addEventListener("click", (e) => {
		if (down && outside(e)) fn();
	});
}

// ---- questions before a change of power ----

// quietSaves hides the button next to a select in a row until another option is chosen.
function quietSaves(root = document) {
	for (const form of $$('form.inline-form[data-ask="row"]', root)) {
		const select = $("select", form), save = $("button", form);
		const same = () => (save.hidden = select.options[select.selectedIndex]?.defaultSelected ?? true);
		select.addEventListener("change", same);
		form.addEventListener("reset", () => setTimeout(same));
		same();
	}
}
quietSaves();

// focusOn focuses an element, or the button of the menu that it is in.
function focusOn(element) {
	const menu = element?.closest("[popover]:not(:popover-open)");
	(menu ? $(`[popovertarget="${menu.id}"]`) : element)?.focus();
}

// ask opens the question of a page as a dialog. It returns false when the page has
// no question.
function ask(html, opener, cancelled) {
	const question = $("#confirm", parsePage(html));
	if (!question) return false;
	$("#confirm-dialog")?.close();
	const dialog = document.createElement("dialog");
	dialog.id = "confirm-dialog";
	dialog.setAttribute("aria-labelledby", "confirm-title");
	const title = document.createElement("h2"); // the page has its own h1
	const h1 = $("h1", question);
	title.id = h1.id;
	title.textContent = h1.textContent;
	h1.replaceWith(title);
	dialog.append(document.adoptNode(question));
	document.body.append(dialog);
	$("[data-cancel]", dialog).addEventListener("click", (e) => {
		e.preventDefault();
		dialog.close();
	});
	let sent = false;
	$("form", dialog).addEventListener("submit", (e) => {
		if (sent) e.preventDefault();
		sent = true;
	});
	dialog.addEventListener("close", () => {
		dialog.remove();
		cancelled?.();
		focusOn(opener());
	});
	onBackdrop(dialog, () => dialog.close());
	dialog.showModal();
	$("[data-cancel]", dialog).focus();
	return true;
}

// A link to a page with a question opens the question as a dialog.
document.addEventListener("click", async (event) => {
	const link = event.target.closest?.("a[data-confirm]");
	if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
	event.preventDefault();
	const answer = await fetch(link.href, { redirect: "manual" }).catch(() => null);
	const opener = () => (link.isConnected ? link : $$("a[data-confirm]").find((a) => a.href === link.href));
	if (!answer?.ok || !ask(await answer.text(), opener)) location.assign(link.href);
});

// A form that asks is answered with the question. On any other answer, as an error
// of the form, the form is sent again in the way it is sent without script.
document.addEventListener("submit", async (event) => {
	const form = event.target.closest?.("form[data-ask]");
	if (!form || form.dataset.asked || event.submitter?.name === "arrange") return;
	event.preventDefault();
	if (form.dataset.asking) return;
	form.dataset.asking = "yes";
	const button = event.submitter;
	const body = new URLSearchParams(new FormData(form, button));
	const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
	const html = answer?.ok ? await answer.text() : "";
	delete form.dataset.asking;
	const row = form.dataset.ask === "row";
	const opener = () => (row ? $("select", form) : button?.checkVisibility() ? button : $("button:not([hidden])", form));
	if (html && ask(html, opener, () => row && form.reset())) return;
	form.dataset.asked = "yes";
	form.requestSubmit(button);
});

// ---- the rules of a guard ----

// A button that arranges the rules changes the form where it stands. The server renders
// it, and says what has the focus then.
document.addEventListener("submit", async (event) => {
	const form = event.target.closest?.("form[data-rules]"), button = event.submitter;
	if (!form || form.dataset.asked || button?.name !== "arrange") return;
	event.preventDefault();
	if (form.dataset.asking) return;
	form.dataset.asking = "yes";
	const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, button)), redirect: "manual" }).catch(() => null);
	const fresh = answer?.ok && $("form[data-rules]", parsePage(await answer.text()));
	delete form.dataset.asking;
	if (!fresh) {
		form.dataset.asked = "yes";
		form.requestSubmit(button);
		return;
	}
	const said = $("[role=status]", fresh).textContent;
	$("[role=status]", fresh).textContent = "";
	form.replaceChildren(...fresh.childNodes);
	$("[autofocus]", form)?.focus();
	$("[role=status]", form).textContent = said; // a text that comes into a region is read, one that came with it is not
});

// ---- the table of tokens ----

const rows = $("#token-rows");
let signedOut = false;

// refreshRows updates the table and returns the row with that ID.
async function refreshRows(id) {
	const url = rows?.dataset.url ?? $("#token-created")?.dataset.url;
	if (!url || signedOut) return null;
	const answer = await fetch(url).catch(() => null);
	if (!answer) return null;
	if (answer.redirected || answer.status === 404 || answer.status === 403) {
		signedOut = true;
		const status = $("#live-status");
		if (status) status.textContent = "This page is no longer updated. Reload it to continue.";
		return null;
	}
	if (!answer.ok) return null;
	const fresh = $("#token-table", parsePage(await answer.text()));
	if (!fresh) return null;
	localTimes(fresh);
	if (rows) merge(fresh);
	return id ? $(`tr[data-token-id="${Number(id)}"]`, rows ?? fresh) : null;
}

// merge replaces the shown table by the fresh one. Rows that are the same stay, so
// that focus and selection stay.
function merge(fresh) {
	const shown = $("#token-table", rows);
	const key = (tr) => tr.dataset.tokenId;
	const old = new Map($$("tr[data-token-id]", shown).map((tr) => [key(tr), tr]));
	const focused = document.activeElement?.closest?.("tr[data-token-id]")?.dataset.tokenId;
	if (shown.tagName === "TABLE" && fresh.tagName === "TABLE") {
		const body = shown.tBodies[0];
		const list = $$("tr[data-token-id]", fresh).map((tr) => {
			const before = old.get(key(tr));
			if (before && before.innerHTML === tr.innerHTML && before.dataset.usedAt === tr.dataset.usedAt && before.classList.contains("off") === tr.classList.contains("off")) return before;
			const node = document.adoptNode(tr);
			if (before && before.dataset.usedAt !== node.dataset.usedAt) node.classList.add("flash");
			return node;
		});
		const same = list.length === body.rows.length && list.every((tr, i) => tr === body.rows[i]);
		if (!same) body.replaceChildren(...list);
	} else if (shown.tagName !== fresh.tagName) {
		shown.replaceWith(document.adoptNode(fresh));
	}
	if (focused && !document.activeElement?.closest("tr")) $(`tr[data-token-id="${Number(focused)}"] a`, rows)?.focus({ preventScroll: true });
}

// The table is fetched every second while a token waits for its first use, every
// five seconds otherwise, and never while the page is hidden.
if (rows) {
	let timer;
	const tick = async () => {
		clearTimeout(timer);
		if (document.visibilityState === "visible") await refreshRows();
		if (!signedOut) timer = setTimeout(tick, $("tr[data-waiting]", rows) ? 1000 : 5000);
	};
	timer = setTimeout(tick, 1000);
	document.addEventListener("visibilitychange", () => {
		if (document.visibilityState === "visible") tick();
	});
	document.addEventListener("tokens-changed", tick);
}

// ---- copying, and whether it worked ----

const copies = new BroadcastChannel("hallpass-copies"); // of the other tabs

// copyText copies the text and reports whether the copy is proven.
async function copyText(text, field) {
	document.dispatchEvent(new CustomEvent("copies", { detail: field }));
	copies.postMessage("");
	if (window.isSecureContext && navigator.clipboard?.writeText) {
		try {
			await navigator.clipboard.writeText(text);
			return true;
		} catch {
			// refused: try the older way
		}
	}
	let put = false;
	const onCopy = (e) => {
		e.clipboardData.setData("text/plain", text);
		e.preventDefault();
		e.stopImmediatePropagation(); // the reader did not make this copy
		put = true;
	};
	const masked = field.type === "password";
	if (masked) field.type = "text"; // browsers copy nothing from a masked field
	field.focus({ preventScroll: true });
	field.select();
	document.addEventListener("copy", onCopy, { capture: true, once: true });
	let ok = false;
	try {
		ok = document.execCommand("copy");
	} catch {
		ok = false;
	}
	document.removeEventListener("copy", onCopy, { capture: true });
	if (masked) field.type = "password";
	return ok && put;
}

function flashDone(button, text) {
	const label = $("span", button);
	const before = label.dataset.label ?? (label.dataset.label = label.textContent);
	label.textContent = text;
	button.classList.add("done");
	clearTimeout(button.timer);
	button.timer = setTimeout(() => undone(button), 2000);
}

// undone restores the label of a button.
function undone(button) {
	const label = $("span", button);
	clearTimeout(button.timer);
	label.textContent = label.dataset.label ?? label.textContent;
	button.classList.remove("done");
}

// ---- the secret, in the dialog or on its page ----

class Secret {
	constructor(root) {
		this.root = root;
		this.field = $("#token-secret", root);
		this.status = $("#token-copy-status", root);
		this.stored = $("#token-stored", root);
		this.proof = $("#token-proof", root);
		this.box = $("#token-proof-box", root);
		this.refusals = JSON.parse(this.box.dataset.refusals); // the server's words
		this.waits = [];
		this.copies = 0;
		this.copied = false;
		const command = $("#token-curl", root), copyCommand = $("#token-curl-copy", root);
		$("#token-show", root).addEventListener("click", () => this.show(this.field.type === "password"));
		$("#token-copy", root).addEventListener("click", () => this.copy());
		this.stored.addEventListener("change", () => this.light("stored", this.stored.checked));
		// Any other copy, here or in another tab of the console, replaces the
		// secret on the clipboard.
		for (const type of ["copy", "cut"]) {
			document.addEventListener(type, (e) => {
				const f = this.field;
				this.taken(e.target === f && f.selectionStart === 0 && f.selectionEnd === f.value.length);
			});
		}
		document.addEventListener("copies", (e) => this.taken(this.copied && e.detail === this.field));
		copies.addEventListener("message", () => this.taken(false));
		copyCommand.addEventListener("click", async () => {
			const done = await this.put(command.value, command);
			if (done === "copied") {
				flashDone(copyCommand, "Copied");
				copyCommand.focus({ preventScroll: true });
			} else if (done === "failed") {
				command.focus();
				command.select();
			}
		});
		addEventListener("beforeunload", (e) => {
			if (this.unsafe()) e.preventDefault();
		});
	}

	// unsafe reports whether closing the view now would lose the secret.
	unsafe() {
		return Boolean(this.field.value) && !this.copied && !this.stored.checked;
	}

	open(account, id, text) {
		this.end();
		this.field.value = text;
		this.copied = false;
		this.copies++;
		this.stored.checked = false;
		this.show(false);
		this.tell("", "");
		for (const step of ["copied", "stored", "proved"]) this.light(step, false);
		$("#token-fingerprint", this.root).textContent = `${text.length} characters, ends …${text.slice(-4)}`;
		$("#token-checklist", this.root).hidden = true;
		this.box.className = "proof";
		this.proof.textContent = "Waiting for the first use…";
		this.account = account;
		this.id = id;
		this.wait();
	}

	// end forgets the secret and stops waiting.
	end() {
		this.field.value = "";
		this.source?.close();
		this.source = null;
		for (const t of this.waits) clearTimeout(t);
		this.waits = [];
		this.proved = false;
		this.seen = "";
	}

	show(on) {
		this.field.type = on ? "text" : "password";
		const b = $("#token-show", this.root);
		b.setAttribute("aria-pressed", String(on));
		$("span", b).textContent = on ? "Hide" : "Show";
	}

	light(step, on) {
		const li = $(`[data-step="${step}"]`, this.root);
		li.classList.toggle("lit", on);
		const word = $("span", li);
		word.dataset.before ??= word.textContent;
		word.textContent = on ? word.dataset.lit : word.dataset.before;
	}

	tell(text, kind) {
		this.status.textContent = text;
		this.status.className = `copy-status ${kind}`;
	}

	// holds sets whether the clipboard holds the secret now, as far as this page
	// can know.
	holds(secret) {
		const had = this.copied;
		this.copied = secret;
		this.light("copied", secret);
		if (secret) this.tell("Copied. Now store it where it belongs.", "good");
		else if (had) this.tell("Something else was copied since: the clipboard no longer holds the token.", "bad");
		if (!secret) undone($("#token-copy", this.root));
	}

	// taken handles the start of a copy, of the secret or of something else.
	taken(secret) {
		if (!this.field.value) return;
		this.copies++;
		this.holds(secret);
	}

	// put copies the text. It returns "copied" when that is proven, "failed", or
	// "overtaken" when another copy began in the meantime: the last copy counts.
	async put(text, field) {
		const had = this.copied;
		const copying = copyText(text, field);
		const mine = this.copies;
		const ok = await copying;
		if (mine !== this.copies) return "overtaken";
		if (ok) this.holds(field === this.field);
		else if (had) this.holds(true); // nothing replaced it
		return ok ? "copied" : "failed";
	}

	// copy reports whether the secret is now proven to be on the clipboard.
	async copy() {
		const done = await this.put(this.field.value, this.field);
		if (done === "failed") {
			this.tell("The browser did not let the page copy. The token is selected: press Ctrl/⌘+C.", "bad");
			this.show(true);
			this.field.focus();
			this.field.select();
		}
		if (done !== "copied") return false;
		const b = $("#token-copy", this.root);
		flashDone(b, "Copied");
		b.focus({ preventScroll: true });
		return true;
	}

	// wait listens for uses and refusals. It also polls, in case no event arrives.
	// The page shows the latest call.
	wait() {
		this.source = new EventSource(`/api/serviceaccounts/${encodeURIComponent(this.account)}/tokens/${encodeURIComponent(this.id)}/events`);
		this.source.addEventListener("first-use", (e) => {
			const use = JSON.parse(e.data);
			this.answered(use.at, use.address, shortClient(use.userAgent), true);
		});
		this.source.addEventListener("refused", (e) => {
			const use = JSON.parse(e.data);
			this.refused(use.at, use.address, shortClient(use.userAgent), use.reason);
		});
		const ask = async () => {
			const row = await refreshRows(this.id);
			if (row?.dataset.usedAt) this.answered(row.dataset.usedAt, row.dataset.usedAddress, row.dataset.usedClient);
			if (this.source) this.waits.push(setTimeout(ask, 1000));
		};
		this.waits.push(setTimeout(ask, 1000));
		this.waits.push(setTimeout(() => {
			if (!this.seen) $("#token-checklist", this.root).hidden = false;
		}, 60000));
	}

	// later reports whether a call at that time is the latest one seen.
	later(at, told) {
		const ahead = micros(at) - micros(this.seen);
		if (ahead < 0 || (ahead === 0 && !told)) return false; // events of the stream are in order
		this.seen = at;
		$("#token-checklist", this.root).hidden = true;
		return true;
	}

	answered(at, address, client, told) {
		if (!this.later(at, told)) return;
		this.line("proved", `Proved: used just now from ${address} by ${client}`);
		if (this.proved) return;
		this.proved = true;
		this.light("proved", true);
		document.dispatchEvent(new Event("tokens-changed"));
	}

	refused(at, address, client, reason) {
		if (!this.later(at, true)) return;
		const why = this.refusals[reason] ?? (reason || "no reason given").replace(/^lacks /, "it needs the permission ");
		const where = `from ${address} by ${client}`;
		if (reason?.startsWith("lacks ")) {
			// The token is valid; the call was not allowed.
			this.line("refused", `The token works, but the last call, just now ${where}, was refused: ${why}.`);
		} else this.line("refused", `Seen just now ${where}, but refused: ${why}. Still waiting…`);
	}

	line(kind, text) {
		this.box.className = `proof ${kind}`;
		this.proof.textContent = text;
		this.box.scrollIntoView({ block: "nearest" });
	}
}

// micros parses a time of the server to microseconds. A Date has only
// milliseconds.
function micros(at) {
	const [, seconds, fraction = ""] = /^([^.]*?)(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)?$/.exec(at || "") ?? [];
	return seconds ? Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6)) : 0;
}

function shortClient(agent) {
	const first = (agent || "").split(" ")[0];
	return first === "" ? "a client without a name" : first.startsWith("Mozilla/") ? "a browser" : first;
}

// guard asks before a secret is lost, and calls go when the answer is yes.
function guard(go) {
	let dialog = $("#guard-dialog");
	if (!dialog) {
		dialog = document.createElement("dialog");
		dialog.id = "guard-dialog";
		dialog.setAttribute("aria-labelledby", "guard-title");
		const [head, title, body, text, buttons] = ["div", "h2", "div", "p", "div"].map((name) => document.createElement(name));
		head.className = "dialog-head";
		body.className = "dialog-body";
		title.id = "guard-title";
		title.textContent = "This secret is shown only once.";
		text.textContent = "It was neither copied nor marked as stored. Once this is closed, nobody can see it again.";
		buttons.className = "dialog-foot";
		for (const [id, label, kind] of [["guard-keep", "Keep open", "primary"], ["guard-close", "Close anyway", "destructive"]]) {
			const b = document.createElement("button");
			b.type = "button";
			b.id = id;
			b.className = `button large ${kind}`;
			b.textContent = label;
			buttons.append(b);
		}
		head.append(title);
		body.append(text);
		dialog.append(head, body, buttons);
		document.body.append(dialog);
		$("#guard-keep").addEventListener("click", () => dialog.close());
	}
	$("#guard-close").onclick = () => {
		dialog.close();
		go();
	};
	if (!dialog.open) dialog.showModal();
	$("#guard-keep").focus();
}

// ---- the lifetime of a new token ----

class Lifetime {
	constructor(form) {
		const field = $("#token-lifetime", form);
		this.form = form;
		this.skew = new Date(field.dataset.now) - Date.now(); // the server's clock counts
		this.latest = field.dataset.latest ? new Date(field.dataset.latest).getTime() : Infinity;
		form.addEventListener("input", () => this.tell());
		this.tell();
	}

	now() {
		return Date.now() + this.skew;
	}

	custom() {
		return this.form.elements.expires.value === "custom";
	}

	// end returns when the token will expire, null for never, NaN for a date
	// that is missing. A date means the last minute of that day in UTC, so that the
	// request has a minute to arrive.
	end() {
		const chosen = this.form.elements.expires.value;
		if (!this.custom()) return Number(chosen) === 0 ? null : this.now() + Number(chosen) * 1000;
		const date = this.form.elements.date.value;
		const end = Date.parse(`${date}T23:59:00Z`);
		const lastDay = this.latest !== Infinity && new Date(this.latest).toISOString().slice(0, 10) === date;
		return lastDay ? Math.min(end, this.latest) : end;
	}

	seconds() {
		if (!this.custom()) return Number(this.form.elements.expires.value);
		const left = (this.end() - this.now()) / 1000;
		return this.end() < this.latest ? Math.ceil(left) : Math.floor(left);
	}

	// tell shows the end in the reader's zone, and returns it.
	tell() {
		const at = this.end();
		let text = "";
		if (at === null) text = "The token never expires. Delete it when its job is done.";
		else if (!Number.isNaN(at)) text = `Expires on ${long.format(new Date(at))}.`;
		$("#token-ends", this.form).textContent = text;
		return at;
	}
}

// ---- the token dialog ----

const dialog = $("#token-dialog");
if (dialog) tokenDialog();

function tokenDialog() {
	const form = $("#token-form"), created = $("#token-created"), title = $("#token-title");
	const nameInput = $("#token-name"), generate = $("#token-generate");
	const lifetime = new Lifetime(form);
	const secret = new Secret(created);
	let opener = null, inFlight = false, closing = false;

	const tellEnd = () => {
		const at = lifetime.tell();
		generate.disabled = inFlight || Number.isNaN(at);
	};
	form.addEventListener("input", tellEnd);

	function fieldError(id, text) {
		const place = document.getElementById(id);
		const field = $(`[aria-describedby~="${id}"]:is(input)`, form);
		place.replaceChildren();
		field?.removeAttribute("aria-invalid");
		if (!text) return;
		const p = document.createElement("p");
		p.className = "field-error";
		p.textContent = text;
		place.append(p);
		const first = id === "token-date-error" && !lifetime.custom() ? $("input:checked", form) : field ?? generate;
		if (first === field) first.setAttribute("aria-invalid", "true");
		first.focus();
	}
	const clearErrors = () => ["token-name-error", "token-date-error", "token-form-error"].forEach((id) => fieldError(id, ""));

	function newDefault() {
		const random = [...crypto.getRandomValues(new Uint8Array(4))].map((b) => b.toString(16).padStart(2, "0")).join("");
		const name = `${[...dialog.dataset.login].slice(0, 181).join("")}-${random}`;
		nameInput.placeholder = name;
		form.elements.default_name.value = name;
	}

	function open(from, keep) {
		opener = from;
		if (!keep) {
			form.reset();
			nameInput.value = "";
		}
		newDefault();
		clearErrors();
		form.hidden = false;
		created.hidden = true;
		title.textContent = "Add service account token";
		tellEnd();
		dialog.showModal();
		dialog.scrollTop = 0;
		nameInput.focus();
	}

	function close() {
		closing = true;
		secret.end();
		dialog.close();
		closing = false;
		const url = new URL(location);
		if (url.searchParams.has("newToken")) {
			for (const p of ["newToken", "name", "expires"]) url.searchParams.delete(p);
			history.replaceState(null, "", url);
		}
		(opener?.isConnected ? opener : $("#add-token"))?.focus();
	}

	const tryClose = () => {
		if (inFlight) return;
		if (secret.unsafe()) guard(close);
		else close();
	};

	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const at = lifetime.end();
		if (inFlight || Number.isNaN(at)) return;
		inFlight = true;
		clearErrors();
		generate.disabled = true;
		generate.textContent = "Generating…";
		const body = { name: nameInput.value.trim() === "" ? nameInput.placeholder : nameInput.value };
		if (at !== null) body.secondsToLive = lifetime.seconds();
		let answer = null, token = null;
		try {
			answer = await fetch(`/api/serviceaccounts/${encodeURIComponent(dialog.dataset.account)}/tokens`, {
				method: "POST",
				headers: { "Content-Type": "application/json" },
				body: JSON.stringify(body),
			});
			token = await answer.json();
		} catch {
			token = null;
		}
		inFlight = false;
		generate.textContent = "Generate token";
		tellEnd();
		if (!answer?.ok || !token?.key) {
			refused(answer, token);
			return;
		}
		form.hidden = true;
		created.hidden = false;
		title.textContent = "Service account token created";
		secret.open(dialog.dataset.account, token.id, token.key);
		dialog.scrollTop = 0;
		$("#token-copy").focus();
		document.dispatchEvent(new Event("tokens-changed"));
	});

	// refused shows the error of the server at its field.
	function refused(answer, error) {
		if (!answer) {
			fieldError("token-form-error", "The server did not answer. Look at the list before you try again: the token may exist.");
			return;
		}
		if (answer.status === 401) {
			fieldError("token-form-error", "You are signed out. Sign in in another tab, then try again.");
			return;
		}
		const text = error?.error || error?.message || `The server answered ${answer.status}.`;
		const message = text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
		if (error?.messageId === "serviceaccounts.ErrTokenAlreadyExists") {
			fieldError("token-name-error", "A live token with this name already exists in the organization. Choose another name.");
			nameInput.select();
		} else if (error?.messageId === "serviceaccounts.ErrInvalidInput") fieldError("token-date-error", message);
		else if (/^name\b/i.test(text)) fieldError("token-name-error", message);
		else fieldError("token-form-error", message);
	}

	$("#add-token").addEventListener("click", (event) => {
		event.preventDefault();
		open(event.currentTarget, false);
	});
	$("#token-x").addEventListener("click", tryClose);
	$("#token-close").addEventListener("click", tryClose);
	$("#token-copy-close").addEventListener("click", async () => {
		if (await secret.copy()) close();
	});
	dialog.addEventListener("keydown", (event) => {
		if (event.key !== "Escape") return;
		event.preventDefault();
		tryClose();
	});
	dialog.addEventListener("cancel", (event) => {
		if (event.target !== dialog) return;
		event.preventDefault();
		tryClose();
	});
	// A browser may close the dialog by itself. Its content is still there.
	dialog.addEventListener("close", () => {
		if (closing || !secret.unsafe()) return;
		dialog.showModal();
		guard(close);
	});
	onBackdrop(dialog, tryClose);
	if ("open" in dialog.dataset) open(null, true);
}

// ---- the page that shows the secret without a dialog ----

const pageForm = $("form:not(#token-form):has(#token-lifetime)");
if (pageForm) new Lifetime(pageForm);

const page = $("#token-created[data-page]");
if (page) {
	const secret = new Secret(page);
	const text = secret.field.value;
	secret.open(page.dataset.account, page.dataset.token, text);
	$("#token-copy").focus();
	$("#token-close").addEventListener("click", (event) => {
		if (!secret.unsafe()) return;
		event.preventDefault();
		const to = event.currentTarget.href;
		guard(() => {
			secret.end();
			location.assign(to);
		});
	});
}

// ---- IDs and configurations to copy ----

document.addEventListener("click", async (event) => {
	const button = event.target.closest?.("[data-copy], [data-copies]");
	if (!button) return;
	const what = button.dataset.copy ?? "the configuration";
	const field = document.createElement("textarea"); // an input would join the lines
	field.value = button.dataset.copy ?? document.getElementById(button.dataset.copies).textContent;
	field.className = "sr";
	button.after(field);
	const ok = await copyText(field.value, field);
	field.remove();
	button.focus({ preventScroll: true });
	button.classList.toggle("done", ok);
	button.title = ok ? `Copied ${what}` : `The browser did not let the page copy ${what}`;
});

// ---- filters of lists that are on the page in full ----

// filterBy shows those elements that hold every word typed into input.
function filterBy(input, elements, words, after) {
	if (!input) return;
	input.addEventListener("input", () => {
		const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		let shown = 0;
		for (const e of elements) {
			const text = words(e);
			e.hidden = !wanted.every((w) => text.includes(w));
			if (!e.hidden) shown++;
		}
		after(shown);
	});
	for (const type of ["keydown", "keypress"]) {
		input.addEventListener(type, (event) => {
			if (event.key === "Enter") event.preventDefault(); // it would send the form
		});
	}
}

const picks = $$("#picker-roles .pick");
filterBy($("#picker-search"), picks, (e) => e.dataset.words, (shown) => {
	for (const g of $$(".picker-group")) g.hidden = !$$(".pick", g).some((p) => !p.hidden);
	$("#picker-count").textContent = shown === 1 ? "1 role" : `${shown} roles`;
});

// ---- what a guard does, as it comes ----

const live = $$("[data-live]");
if (live.length) {
	const timer = setInterval(async () => {
		if (document.hidden) return;
		const answer = await fetch(live[0].dataset.live).catch(() => null);
		const page = answer?.ok && parsePage(await answer.text());
		for (const part of live) {
			const now = page && $("#" + part.id, page);
			if (answer && !now) clearInterval(timer); // the session is over, or the guard is deleted
			else if (now && now.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.replaceChildren(...now.childNodes);
		}
	}, 5000);
}

// The tab that is shown comes into sight in its row. The page itself stays where it is.
{
	const here = $(".tabs [aria-current]");
	const row = here?.closest(".tabs");
	if (row) row.scrollLeft += Math.max(0, here.getBoundingClientRect().right - row.getBoundingClientRect().right);
}

const pickRoles = $("#picker-roles");
pickRoles?.addEventListener("change", () => {
	$("#picker-count").textContent = `${$$("input:checked", pickRoles).length} chosen`;
});

const held = $$("tr[data-filter]");
filterBy($("#held-search"), held, (e) => e.textContent.toLowerCase(), () => {
	for (const a of $$(".area")) a.hidden = !$$("tr[data-filter]", a).some((r) => !r.hidden);
});
