// The console works without this file. It adds dialogs, copying, live updates, and
// times in the reader's zone. Text from the server or the user is inserted as text
// only; markup comes only from the console's own pages.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// base is the path below which browsers reach the server, with a slash at its end.
const base = document.documentElement.dataset.base;

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

// dateWords writes a time as the sentences of the server do: "Wed 24 Feb 2027, 09:42 UTC".
const dateWords = (at) => at.toUTCString().replace(/^(\w+), 0?(\d+ \w+ \d+) (\d\d:\d\d).*/, "$1 $2, $3 UTC");

// localTimes adds the time in the reader's zone to the exact one of each title.
function localTimes(root = document) {
	for (const t of $$("time[datetime]", root)) {
		const at = new Date(t.dateTime);
		if (isNaN(at)) continue;
		t.title = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC\n${local.format(at)} (${zone})`;
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
		if (event.submitter?.name === "arrange") return; // it saves nothing
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
		for (const kept of $$("input[type=hidden]", search)) url.searchParams.set(kept.name, kept.value);
		if (last) url.searchParams.set("query", last);
		const mine = ++run;
		const answer = await fetch(url).catch(() => null);
		if (!answer || mine !== run) return;
		if (!answer.ok || answer.redirected) {
			location.assign(url);
			return;
		}
		const page = parsePage(await answer.text());
		const list = $("#list", page);
		if (mine !== run || !list) return;
		$("#list").replaceWith(document.adoptNode(list));
		for (const part of [".views", "#end-filter", "#owner-filter", "#csv"]) {
			const fresh = $(part, page);
			if (fresh) $(part)?.replaceWith(document.adoptNode(fresh));
		}
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

// Above the table stands what is chosen in it.
function countChosen() {
	const chosen = $$("#list [name=account]:checked");
	const live = chosen.reduce((n, e) => n + Number(e.dataset.liveTokens), 0), recent = chosen.filter((e) => "recent" in e.dataset).length;
	$("#bulk-count").textContent = `${chosen.length} chosen`;
	$("#bulk-tokens").textContent = `· ${live} live token${live === 1 ? "" : "s"}, ${recent} used in the last 24 hours`;
	const every = $("#choose-all"), boxes = $$("#list [name=account]");
	every.checked = chosen.length === boxes.length;
	every.indeterminate = chosen.length > 0 && !every.checked;
}
document.addEventListener("change", (event) => {
	if (!event.target.matches?.("#list :is(#choose-all, [name=account])")) return;
	if (event.target.id === "choose-all") for (const e of $$("#list [name=account]")) e.checked = event.target.checked;
	countChosen();
});
document.addEventListener("reset", (event) => {
	if (event.target.id === "bulk") setTimeout(countChosen);
});
if ($("#list [name=account]:checked")) countChosen(); // the browser restores what was chosen when a page is visited again

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

// typedName lets a question be answered when the name that it asks for is typed.
function typedName(root) {
	const input = $("[data-type]", root);
	const same = () => input.setCustomValidity(input.value.trim().replace(/\s+/g, " ") === input.dataset.type ? "" : "Type the name as it is shown.");
	input?.addEventListener("input", same);
	if (input) same();
}
typedName(document);

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
	localTimes(question);
	dialog.append(document.adoptNode(question));
	document.body.append(dialog);
	$("[data-cancel]", dialog).addEventListener("click", (e) => {
		e.preventDefault();
		dialog.close();
	});
	typedName(dialog);
	let sent = false;
	$("#confirm-form", dialog).addEventListener("submit", (e) => {
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
	if (html && ask(html, opener, () => row && form.reset())) {
		for (const input of $$("[aria-invalid]", form)) input.removeAttribute("aria-invalid");
		for (const text of $$(".field-error", form)) text.remove(); // the fault is mended
		return;
	}
	form.dataset.asked = "yes";
	form.requestSubmit(button);
});

// ---- forms whose parts are arranged by buttons: the rules of a guard, the permissions of a role ----

// arranged sends the form with one of its buttons, and returns the form that comes back.
async function arranged(form, body) {
	const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
	return (answer?.ok && $("form[data-rules]", parsePage(await answer.text()))) || null;
}

// A button that arranges changes the form where it stands. The server renders it, and says
// what has the focus then.
document.addEventListener("submit", async (event) => {
	const form = event.target.closest?.("form[data-rules]"), button = event.submitter;
	if (!form || form.dataset.asked || button?.name !== "arrange") return;
	event.preventDefault();
	if (form.dataset.asking) return;
	form.dataset.asking = "yes";
	const fresh = await arranged(form, new URLSearchParams(new FormData(form, button)));
	delete form.dataset.asking;
	if (!fresh) {
		form.dataset.asked = "yes";
		form.requestSubmit(button);
		return;
	}
	const said = $("[role=status]", fresh).textContent;
	$("[role=status]", fresh).textContent = "";
	for (const open of $$("details[open] > summary", form)) {
		const same = $$("details > summary", fresh).find((e) => e.textContent === open.textContent);
		if (same) same.parentElement.open = true;
	}
	form.replaceChildren(...fresh.childNodes);
	for (const e of $$("[data-script]", form)) e.hidden = false;
	filterRole();
	$("[autofocus]", form)?.focus();
	$("[role=status]", form).textContent = said; // a text that comes into a region is read, one that came with it is not
});

// While somebody types into a field with data-renders, the part of the form that it names
// is rendered again, as by the button of the value data-button.
let typed = 0;
async function renderFor(input) {
	const form = input.form, mine = ++typed, body = new URLSearchParams(new FormData(form));
	body.set("arrange", input.dataset.button);
	const fresh = await arranged(form, body);
	const part = fresh && document.getElementById(input.dataset.renders), now = fresh && $(`#${input.dataset.renders}`, fresh);
	if (mine !== typed || !part || !now) return;
	part.replaceChildren(...now.childNodes);
	const found = $$("button.opt", part).length;
	$("[role=status]", form).textContent = input.value ? `${found} found` : "";
	input.dataset.shown = input.value;
	if (found) part.scrollIntoView({ block: "nearest" }); // above the bar that saves
}
document.addEventListener("input", (event) => {
	const input = event.target.closest?.("[data-renders]");
	if (!input) return;
	clearTimeout(input.timer);
	input.timer = setTimeout(() => renderFor(input), 200);
});

// The arrow keys lead from such a field through what it found, Enter takes the first, and
// Escape leads back.
document.addEventListener("keydown", async (event) => {
	const list = event.target.closest?.("#role-found, #role-things");
	const input = event.target.closest?.("[data-renders]") ?? (list && $(`[data-renders="${list.id}"]`));
	if (!input || event.ctrlKey || event.metaKey || event.altKey) return;
	const options = () => $$("button.opt", document.getElementById(input.dataset.renders));
	const at = options().indexOf(event.target);
	if (event.key === "ArrowDown" || (event.key === "ArrowUp" && at >= 0)) {
		event.preventDefault();
		(options()[at + (event.key === "ArrowDown" ? 1 : -1)] ?? (event.key === "ArrowUp" ? input : null))?.focus();
	} else if (event.key === "Escape" && at >= 0) {
		event.preventDefault();
		input.focus();
	} else if (event.key === "Enter" && event.target === input) {
		event.preventDefault();
		clearTimeout(input.timer);
		if (input.value !== (input.dataset.shown ?? input.defaultValue)) await renderFor(input);
		if (input.value) options()[0]?.click();
	}
});

document.addEventListener("keypress", (event) => {
	if (event.key === "Enter" && event.target.closest?.("[data-renders]")) event.preventDefault(); // it would send the form
});

// The rows of a long role are filtered on the page.
function filterRole() {
	const rows = $$("#role-list [data-row]");
	filterBy($("#role-filter"), rows, (e) => e.textContent.toLowerCase(), () => {
		for (const g of $$("#role-list .perm-group")) g.hidden = !$$("[data-row]", g).some((r) => !r.hidden);
	});
}
filterRole();

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
	if ($(".menu:popover-open", rows)) return; // it would close
	const shown = $("#token-table", rows);
	const focused = document.activeElement?.closest?.("tr[data-token-id]")?.dataset.tokenId, kind = document.activeElement?.tagName;
	if (shown.tagName === "TABLE" && fresh.tagName === "TABLE") {
		const groups = [...fresh.tBodies], old = [...shown.tBodies];
		if (groups.length === old.length) groups.forEach((g, i) => mergeRows(old[i], g));
		else shown.replaceChildren(shown.tHead, ...groups.map((g) => document.adoptNode(g)));
	} else if (shown.tagName !== fresh.tagName) {
		shown.replaceWith(document.adoptNode(fresh));
	}
	if (focused && !document.activeElement?.closest("tr")) $(`tr[data-token-id="${Number(focused)}"] ${kind === "BUTTON" ? "button" : "a"}`, rows)?.focus({ preventScroll: true });
}

// mergeRows is merge for one part of the table.
function mergeRows(body, fresh) {
	const key = (tr) => tr.dataset.tokenId ?? `pair ${tr.dataset.pair}`;
	const old = new Map([...body.rows].map((tr) => [key(tr), tr]));
	const list = [...fresh.rows].map((tr) => {
		const before = old.get(key(tr));
		if (before && before.innerHTML === tr.innerHTML && before.dataset.usedAt === tr.dataset.usedAt && before.classList.contains("off") === tr.classList.contains("off")) return before;
		const node = document.adoptNode(tr);
		if (before && before.dataset.usedAt !== node.dataset.usedAt) node.classList.add("flash");
		return node;
	});
	body.className = fresh.className;
	if (list.length !== body.rows.length || list.some((tr, i) => tr !== body.rows[i])) body.replaceChildren(...list);
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
	label.dataset.label ??= label.textContent;
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

// relabel changes the label of a button, which it has when it is not flashing.
function relabel(button, text) {
	const label = $("span", button);
	label.dataset.label = text;
	if (!button.classList.contains("done")) label.textContent = text;
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
		this.account = root.dataset.account;
		this.id = root.dataset.token;
		this.gone = new AbortController(); // aborted when the secret is forgotten
		this.waits = [];
		this.copies = 0;
		this.copied = false;
		this.seen = "";
		const copy = $("#token-copy", root);
		$("#token-show", root).addEventListener("click", () => this.show(this.field.type === "password"));
		copy.addEventListener("click", () => this.copy());
		this.stored.addEventListener("change", () => this.arrange());
		for (const button of $$("[data-command]", root)) button.addEventListener("click", () => this.copyCommand(button));
		// Any other copy, here or in another tab of the console, replaces the
		// secret on the clipboard.
		const { signal } = this.gone;
		for (const type of ["copy", "cut"]) {
			document.addEventListener(type, (e) => {
				const f = this.field;
				this.taken(e.target === f && f.selectionStart === 0 && f.selectionEnd === f.value.length);
			}, { signal });
		}
		document.addEventListener("copies", (e) => this.taken(this.copied && e.detail === this.field), { signal });
		copies.addEventListener("message", () => this.taken(false), { signal });
		addEventListener("beforeunload", (e) => {
			if (this.unsafe()) e.preventDefault();
		}, { signal });
		this.show(false);
		this.arrange();
		this.wait();
		copy.focus();
	}

	// unsafe reports whether closing the view now would lose the secret.
	unsafe() {
		return Boolean(this.field.value) && !this.copied && !this.stored.checked && !this.seen;
	}

	// end forgets the secret and stops waiting.
	end() {
		this.field.value = "";
		this.gone.abort();
		this.source?.close();
		this.source = null;
		for (const t of this.waits) clearTimeout(t);
		this.waits = [];
	}

	show(on) {
		this.field.type = on ? "text" : "password";
		const b = $("#token-show", this.root);
		b.setAttribute("aria-pressed", String(on));
		$("span", b).textContent = on ? "Hide" : "Show";
	}

	light(step, on, kind = "lit") {
		const li = $(`[data-step="${step}"]`, this.root);
		li.className = on ? kind : "";
		const word = $("span", li);
		word.dataset.before ??= word.textContent;
		word.textContent = on ? word.dataset[kind] : word.dataset.before;
	}

	// arrange lights the steps that are done, and makes the button that is due next the
	// primary one.
	arrange() {
		const safe = !this.unsafe(), copy = $("#token-copy", this.root);
		this.light("copied", this.copied);
		this.light("stored", this.stored.checked || Boolean(this.seen));
		this.stored.closest("label").hidden = Boolean(this.seen);
		$("#token-done", this.root).hidden = !safe;
		copy.classList.toggle("primary", !safe);
		relabel(copy, safe ? "Copy again" : "Copy to clipboard");
		$("#token-close", this.root).hidden = safe;
		$("#token-close-help", this.root).hidden = safe;
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
		if (secret) this.tell("Copied. Now store it where it belongs.", "good");
		else if (had) this.tell("Something else was copied since: the clipboard no longer holds the token.", "bad");
		if (!secret) undone($("#token-copy", this.root));
		this.arrange();
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

	// copy puts the secret on the clipboard, or tells how to.
	async copy() {
		const done = await this.put(this.field.value, this.field);
		if (done === "failed") {
			this.tell("The browser did not let the page copy. The token is selected: press Ctrl/⌘+C.", "bad");
			this.show(true);
			this.field.focus();
			this.field.select();
		}
		if (done !== "copied") return;
		flashDone($("#token-copy", this.root), "Copied");
		$("#token-done", this.root).focus({ preventScroll: true });
	}

	// copyCommand copies a command, which does not hold the secret and says so.
	async copyCommand(button) {
		const field = document.getElementById(button.dataset.command), says = $(".command-status", this.root);
		const done = await this.put(field.value, field);
		if (done === "copied") {
			flashDone(button, "Copied");
			says.textContent = "The command is copied. The token is not in it: copy the token when the command asks for it.";
			button.focus({ preventScroll: true });
		} else if (done === "failed") {
			says.textContent = "The browser did not let the page copy. The command is selected: press Ctrl/⌘+C.";
			field.focus();
			field.select();
		}
	}

	// wait listens for uses and refusals. It also polls, in case no event arrives.
	// The page shows the latest call.
	wait() {
		this.source = new EventSource(`${base}api/serviceaccounts/${encodeURIComponent(this.account)}/tokens/${encodeURIComponent(this.id)}/events`);
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

	// later reports whether a call at that time is the latest one seen. Whoever calls has
	// the secret.
	later(at, told) {
		const ahead = micros(at) - micros(this.seen);
		if (ahead < 0 || (ahead === 0 && !told)) return false; // events of the stream are in order
		this.seen = at;
		$("#token-checklist", this.root).hidden = true;
		this.arrange();
		return true;
	}

	answered(at, address, client, told) {
		if (!this.later(at, told)) return;
		this.light("proved", true);
		this.line("proved", "Proved: it works", `Used just now from ${address} by ${client}.`);
		document.dispatchEvent(new Event("tokens-changed"));
	}

	refused(at, address, client, reason) {
		if (!this.later(at, true)) return;
		const why = this.refusals[reason] ?? (reason || "no reason given").replace(/^lacks /, "it needs the permission ");
		this.light("proved", true, "refused");
		const next = reason?.startsWith("lacks ") ? "The secret is right. The next call that is answered proves it." : "Still waiting for a call that is answered.";
		this.line("refused", "Seen, but refused", `The last call, just now from ${address} by ${client}, was refused: ${why}.`, next);
	}

	line(kind, title, ...lines) {
		this.box.className = `proof ${kind}`;
		const [head, ...rest] = ["strong", ...lines.map(() => "span")].map((name) => document.createElement(name));
		head.textContent = title;
		rest.forEach((e, i) => (e.textContent = lines[i]));
		this.proof.replaceChildren(head, ...rest.flatMap((e) => [" ", e]));
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
		title.textContent = "Close without copying?";
		text.textContent = "The secret is shown only once. It was neither copied nor marked as stored. If you close now, nobody can see it again, and you must make a new one.";
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

	// tell shows the end. Nothing can be sent without an end.
	tell() {
		const at = this.end();
		let text = "";
		if (at === null) text = "The token never ends. Delete it when its job is done.";
		else if (!Number.isNaN(at)) text = `Ends on ${dateWords(new Date(at))}.`;
		$("#token-ends", this.form).textContent = text;
		$("button.primary", this.form).disabled = Number.isNaN(at);
	}
}

// ---- dialogs that are pages ----

// A page with an element data-dialog-page is shown as a dialog by a link or a form that is
// marked data-dialog. Its form is sent from there, and what the server answers is shown
// there: the form with its errors, the next step, or a question.

// prepare makes the content of a page work, in the dialog or on its page, and returns the
// secret that it shows.
function prepare(root) {
	for (const e of $$("[data-script]", root)) e.hidden = false;
	localTimes(root);
	const form = $("form", root);
	if (form && $("#token-lifetime", form)) new Lifetime(form);
	return root.id === "token-created" ? new Secret(root) : null;
}

class PageDialog {
	constructor() {
		this.dialog = document.createElement("dialog");
		this.dialog.id = "token-dialog";
		this.dialog.setAttribute("aria-labelledby", "token-title");
		document.body.append(this.dialog);
		this.dialog.addEventListener("keydown", (event) => {
			if (event.key !== "Escape") return;
			event.preventDefault();
			this.tryClose();
		});
		this.dialog.addEventListener("cancel", (event) => {
			if (event.target !== this.dialog) return;
			event.preventDefault();
			this.tryClose();
		});
		// A browser may close the dialog by itself. Its content is still there.
		this.dialog.addEventListener("close", () => {
			if (this.closing || !this.secret?.unsafe()) return;
			this.dialog.showModal();
			guard(() => this.close());
		});
		onBackdrop(this.dialog, () => this.tryClose());
	}

	// open shows the page in the dialog; where that fails, the browser goes there.
	async open(url, opener) {
		if (this.opening || this.dialog.open) return;
		this.opening = true;
		this.opener = opener;
		const answer = await fetch(url, { redirect: "manual" }).catch(() => null);
		const html = answer?.ok ? await answer.text() : "";
		this.opening = false;
		if (!html || !this.show(html)) location.assign(url);
	}

	// show replaces the content by that of the page. It returns false if the page is not
	// for a dialog.
	show(html) {
		const content = $("[data-dialog-page]", parsePage(html));
		if (!content) return false;
		const title = document.createElement("h2"); // the page has its own h1
		const h1 = $("h1", content);
		title.id = h1.id;
		title.textContent = h1.textContent;
		h1.replaceWith(title);
		this.dialog.replaceChildren(document.adoptNode(content));
		if (!this.dialog.open) this.dialog.showModal();
		this.dialog.scrollTop = 0;
		this.secret = prepare(content);
		for (const a of $$("[data-cancel], #token-close, #token-done", content)) {
			a.addEventListener("click", (event) => {
				event.preventDefault();
				if (event.detail < 2) this.tryClose(); // a double click on the button before is none on this one
			});
		}
		const form = $("form", content);
		form?.addEventListener("submit", (event) => {
			event.preventDefault();
			this.send(form, event.submitter);
		});
		if (!this.secret) ($("[autofocus]", content) ?? $("input[type=radio]:checked, input:not([type=hidden], [type=radio])", content) ?? $("button", content))?.focus();
		return true;
	}

	close() {
		this.closing = true;
		this.secret?.end();
		this.secret = null;
		this.dialog.close();
		this.closing = false;
		const url = new URL(location);
		if (url.searchParams.has("newToken")) {
			for (const p of ["newToken", "name", "expires"]) url.searchParams.delete(p);
			history.replaceState(null, "", url);
		}
		const opener = this.opener?.isConnected ? this.opener : $$("a[data-dialog]").find((a) => a.href === this.opener?.href); // its row may be a fresh one
		focusOn(opener ?? $("#add-token") ?? $("main"));
	}

	tryClose() {
		if (this.inFlight) return;
		if (this.secret?.unsafe()) guard(() => this.close());
		else this.close();
	}

	async send(form, submitter) {
		if (this.inFlight) return;
		this.inFlight = true;
		const button = submitter ?? $("button.primary", form), label = button.textContent;
		const body = new URLSearchParams(new FormData(form, submitter));
		button.disabled = true;
		button.textContent = form.dataset.once || label;
		const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
		const html = answer && answer.type !== "opaqueredirect" ? await answer.text().catch(() => "") : "";
		this.inFlight = false;
		button.disabled = false;
		button.textContent = label;
		if (answer?.type === "opaqueredirect") {
			location.reload(); // it is done: the page says so
			return;
		}
		if (html && (this.show(html) || ask(html, () => button))) {
			if (this.secret) document.dispatchEvent(new Event("tokens-changed"));
			return;
		}
		const page = parsePage(html), p = document.createElement("p");
		p.className = "field-error";
		p.textContent = !answer ? "The server did not answer. Look at the list before you try again: it may be done."
			: [$("main h1", page), $("main h1 + p", page)].map((e) => e?.textContent.trim()).filter(Boolean).join(": ") || `The server answered ${answer.status}.`;
		$(".form-error", form).replaceChildren(p);
		button.focus();
	}
}

let pageDialog;
const openPage = (url, opener) => (pageDialog ??= new PageDialog()).open(url, opener);

document.addEventListener("click", (event) => {
	const link = event.target.closest?.("a[data-dialog]");
	if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
	event.preventDefault();
	link.closest("[popover]")?.hidePopover();
	openPage(link.href, link);
});
document.addEventListener("submit", (event) => {
	const form = event.target.closest?.("form[data-dialog]");
	if (!form) return;
	event.preventDefault();
	openPage(form.action, event.submitter);
});
const opens = $("[data-open]");
if (opens) openPage(opens.dataset.open, null);

const page = $("[data-dialog-page]");
if (page) {
	const secret = prepare(page);
	for (const a of secret ? $$("#token-x, #token-close", page) : []) {
		a.addEventListener("click", (event) => {
			if (!secret.unsafe()) return;
			event.preventDefault();
			guard(() => {
				secret.end();
				location.assign(a.href);
			});
		});
	}
}

// ---- find ----

// A whole token is never sent: its hash is, where the browser can make one.
const wholeToken = /glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}/;

async function hashOf(text) {
	const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
	return [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, "0")).join("");
}

for (const form of $$("[data-find]")) {
	const input = form.elements.q, says = $("[data-find-says]", form);
	const tell = (text) => {
		says.textContent = text;
		input.value = "";
		input.focus();
	};
	input.removeAttribute("pattern"); // it keeps a secret back where no script does
	input.addEventListener("input", () => (says.textContent = ""));
	form.addEventListener("submit", async (event) => {
		if (!input.value.includes("glsa_")) return;
		event.preventDefault();
		const token = wholeToken.exec(input.value)?.[0];
		if (!token) tell("This is a part of a secret, and it was not sent. Paste the whole token, or write its last four characters.");
		else if (!crypto.subtle) tell("The token was not sent. Your browser makes a hash of it on https and on localhost only. Write its last four characters.");
		else location.assign(`${base}find?hash=${await hashOf(token)}`);
	});
}

addEventListener("keydown", (event) => {
	if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || event.target.closest?.("input, textarea, select")) return;
	const input = $$("[data-find] input").find((e) => e.checkVisibility());
	if (!input) return;
	event.preventDefault();
	input.focus();
	input.select();
});

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
			if (now) localTimes(now);
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
	for (const a of $$("details.power")) {
		a.hidden = !$$("tr[data-filter]", a).some((r) => !r.hidden);
		if ($("#held-search").value) a.open = true;
	}
});
