// The composer: drafts that are kept, keys, what the server says after sending.
import "./shortcuts.js";

const PAUSE = 800, OFTEN = 2000; // milliseconds: after the last letter, and at the latest
const timers = new Map();
const part = (name, chat) => document.getElementById(`${name}-${chat}`);
const chatOf = (element) => element.closest(".composer")?.dataset.chat;
const drafts = () => document.querySelectorAll("textarea[data-draft]");

const save = (field, leaving = false) => {
  const waiting = timers.get(field.id);
  if (!waiting) return;
  clearTimeout(waiting.timer);
  timers.delete(field.id);
  const form = new URLSearchParams({ body: field.value });
  if ("note" in field.dataset) form.set("note", "true");
  const put = () => {
    fetch(field.dataset.draft, { method: "POST", body: form, keepalive: leaving && field.value.length < 15000 })
      .then((answer) => { if (answer.status >= 500) throw new Error("away"); })
      .catch(() => { if (document.contains(field)) later(field, 5000); });
  };
  put();
};
const later = (field, pause = PAUSE) => {
  const now = Date.now();
  const waiting = timers.get(field.id) ?? { since: now };
  clearTimeout(waiting.timer);
  waiting.timer = setTimeout(() => save(field), Math.max(0, Math.min(pause, waiting.since + OFTEN - now)));
  timers.set(field.id, waiting);
};
const saveAll = (leaving) => drafts().forEach((field) => save(field, leaving));

const grow = (field) => {
  if (CSS.supports("field-sizing: content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
};

document.addEventListener("input", (event) => {
  if (!event.target.matches("textarea[data-draft]")) return;
  later(event.target);
  grow(event.target);
});
document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("textarea[data-draft]")) save(event.target);
});
document.addEventListener("visibilitychange", () => document.hidden && saveAll(true));
window.addEventListener("pagehide", () => saveAll(true));
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.boosted) saveAll(true);
});

// Another tab of the same person has the newer draft, unless one writes in this one.
document.addEventListener("desk:draft-elsewhere", async () => {
  for (const field of drafts()) {
    if (timers.has(field.id) || (document.hasFocus() && document.activeElement === field)) continue;
    const answer = await fetch(field.dataset.draft, { headers: { accept: "application/json" } });
    if (!answer.ok) continue;
    const kept = await answer.json();
    const words = "note" in field.dataset ? kept.note : kept.draft;
    if (field.value === words || timers.has(field.id)) continue;
    field.value = words;
    grow(field);
    field.dispatchEvent(new Event("desk:typed"));
  }
});

const show = (chat, kind) => {
  for (const tab of document.querySelectorAll(`#composer-${chat} [role="tab"]`)) {
    const chosen = tab.dataset.kind === kind;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    part(`form-${tab.dataset.kind}`, chat).hidden = !chosen;
  }
};
document.addEventListener("click", (event) => {
  const tab = event.target.closest(".composer [role='tab']");
  if (tab) {
    show(chatOf(tab), tab.dataset.kind);
    part(tab.dataset.kind, chatOf(tab))?.focus();
  }
  const swap = event.target.closest("[data-swaps]");
  if (swap) swapIn(swap);
  event.target.closest("[data-take-away]")?.closest(".upload").remove();
});

const swapIn = (button) => {
  const field = button.closest("form").querySelector("textarea");
  const swaps = JSON.parse(button.dataset.swaps);
  const { selectionStart: at } = field;
  const swapped = (words) => [...words].map((letter) => swaps[letter] ?? letter).join("");
  const before = swapped(field.value.slice(0, at)).length;
  field.value = swapped(field.value);
  field.setSelectionRange(before, before);
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (field.matches?.(".composer textarea")) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      field.form.requestSubmit();
    } else if (event.altKey && event.code === "KeyS") {
      const swap = field.form.querySelector("[data-swaps]");
      if (swap) { event.preventDefault(); swapIn(swap); }
    }
  }
  if (field.matches?.(".composer [role='tab']") && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    const others = [...field.parentElement.children].filter((tab) => tab !== field);
    others[0]?.click();
    others[0]?.focus();
  }
});

// While it is on its way nothing is typed into what would be lost.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.target.matches?.(".composer form")) return;
  const field = event.target.querySelector("textarea");
  const waiting = timers.get(field.id);
  if (waiting) { clearTimeout(waiting.timer); timers.delete(field.id); }
  event.target.dataset.sent = field.value;
});
// Another's answer that came while one wrote does not count as seen before it was refused once.
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const chat = /^(?:thread-state|told)-(\d+)$/.exec(event.detail.target?.id ?? "")?.[1];
  const field = chat && part("say", chat);
  if (!field) return;
  if (!field.value) part("seen", chat).value = part("thread-state", chat).dataset.seen;
  const closed = part("told", chat).dataset.closed === "yes";
  const tab = part("tab-note", chat);
  tab.hidden = part("told", chat).dataset.mayNote !== "yes";
  if (tab.hidden && tab.getAttribute("aria-selected") === "true") show(chat, "say");
  field.readOnly = closed;
  field.form.querySelector("button.primary").disabled = closed;
});
const done = (event) => {
  const { chat, form, seen, kind } = event.detail;
  const field = part(kind, chat);
  if (!field) return;
  if (field.value === field.form.dataset.sent) field.value = "";
  if (kind === "say") {
    part("form", chat).value = form;
    part("files", chat).replaceChildren();
    field.dispatchEvent(new Event("desk:typed"));
  }
  part("seen", chat).value = seen;
  grow(field);
  field.focus();
};
document.addEventListener("desk:said", done);
document.addEventListener("desk:answered-meanwhile", (event) => {
  const { chat, seen } = event.detail;
  if (part("seen", chat)) part("seen", chat).value = seen;
  part("say", chat)?.focus();
});
