// The developer's screen: the API from this very page, the handsets as they change, things to copy.
// The token lives in its field and nowhere else: no storage, no address, no log.
import { tell } from "./live.js";

const by = (id) => document.getElementById(id);
const words = () => by("try-it")?.dataset ?? {};
const basic = () => {
  const bytes = new TextEncoder().encode(`${words().subdomain}:${by("try-token").value.trim()}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
};
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const address = () => `${location.origin}/apps/api/v1/sms${by("try-dry").checked ? "?dry_run=true" : ""}`;

const showCurl = () => {
  if (!by("try-curl")) return;
  const key = by("try-key").value ? ` \\\n  -H ${quoted(`Idempotency-Key: ${by("try-key").value}`)}` : "";
  by("try-curl").textContent =
    `curl -u ${quoted(`${words().subdomain}:TOKEN`)} -H 'Content-Type: application/json'${key} \\\n` +
    `  -d ${quoted(by("try-body").value)} \\\n  ${quoted(address())}`;
};

const pretty = (text) => { try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; } };

const showAnswer = (status, took, headers, text) => {
  by("try-status").textContent = status;
  by("try-status").className = `badge ${Number(status) < 300 ? "good" : "bad"}`;
  by("try-took").textContent = took;
  by("try-headers").textContent = headers;
  by("try-json").textContent = pretty(text);
  by("try-answer").hidden = false;
};

const openHandset = (number) => {
  if (number && by("handset-screen")) {
    htmx.ajax("GET", `/desk/developer/handset?number=${encodeURIComponent(number)}`, { target: "#handsets", swap: "morph:outerHTML" });
  }
};

const send = async () => {
  const token = by("try-token");
  if (!token.value.trim()) {
    token.setAttribute("aria-invalid", "true");
    showAnswer("!", words().noToken, "", "");
    token.focus();
    return;
  }
  token.removeAttribute("aria-invalid");
  const body = by("try-body").value;
  const headers = { "Content-Type": "application/json", Authorization: basic() };
  if (by("try-key").value) headers["Idempotency-Key"] = by("try-key").value;
  by("try-send").disabled = true;
  const began = performance.now();
  try {
    const answer = await fetch(address(), { method: "POST", headers, body, credentials: "omit" });
    const text = await answer.text();
    const heads = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    showAnswer(String(answer.status), `${Math.round(performance.now() - began)} ms`, heads, text);
    if (answer.ok && !by("try-dry").checked) openHandset(JSON.parse(body).end_user_number);
  } catch {
    showAnswer("!", words().away, "", "");
  } finally {
    by("try-send").disabled = false;
  }
};

const makeToken = async () => {
  const answer = await fetch("/desk/developer/token", { method: "POST" });
  if (!answer.ok) { showAnswer(String(answer.status), words().away, "", ""); return; }
  by("try-token").value = (await answer.json()).token;
  by("try-token").removeAttribute("aria-invalid");
  showAnswer("✓", words().made, "", "");
  by("try-send").focus();
};

const choose = (option) => {
  by("try-body").value = option.dataset.body;
  by("try-hint").textContent = option.dataset.hint;
  showCurl();
};

const copy = async (button) => {
  const said = button.textContent;
  await navigator.clipboard.writeText(by(button.dataset.copy).textContent);
  button.textContent = button.dataset.copied ?? words().copied ?? "✓";
  setTimeout(() => { button.textContent = said; }, 1500);
};

// All examples of the page that the API keeps to, from the API itself.
const addExamples = async () => {
  const select = by("try-preset");
  if (!select || select.querySelector("optgroup")) return;
  const group = document.createElement("optgroup");
  group.label = words().examples;
  select.append(group);
  const answer = await fetch("/apps/api/v1/examples.json", { credentials: "omit" }).catch(() => null);
  for (const one of answer?.ok ? await answer.json() : []) {
    const option = new Option(one.title, one.name);
    option.dataset.body = one.request.trim();
    option.dataset.hint = `→ ${one.status}`;
    group.append(option);
  }
};

document.addEventListener("submit", (event) => {
  if (event.target.id !== "try-form") return;
  event.preventDefault();
  event.stopPropagation();
  send();
}, true);
document.addEventListener("change", (event) => {
  if (event.target.id === "try-preset") choose(event.target.selectedOptions[0]);
  if (event.target.closest("#try-form")) showCurl();
});
document.addEventListener("input", (event) => { if (event.target.closest("#try-form")) showCurl(); });
document.addEventListener("click", (event) => {
  if (event.target.id === "try-make") makeToken();
  const copies = event.target.closest("[data-copy]");
  if (copies) copy(copies);
  const word = event.target.closest("[data-word]");
  if (word) {
    const box = word.closest("form").querySelector("textarea");
    box.value += word.dataset.word;
    box.focus();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("[data-sends]") && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form[data-clears]");
  if (form && event.detail.successful) {
    const fresh = by(form.id) ?? form;
    fresh.reset();
    const box = fresh.querySelector("textarea");
    box.value = "";
    box.focus();
  }
});

// The handsets' own events, while this screen is open.
let heard;
const listen = () => {
  const wanted = Boolean(by("handset-screen"));
  if (wanted && !heard) {
    heard = new EventSource("/desk/live/lab");
    heard.addEventListener("lab", () => tell("lab", ""));
  } else if (!wanted && heard) {
    heard.close();
    heard = undefined;
  }
};
const scrollDown = () => {
  const phone = document.querySelector(".phone");
  if (phone) phone.scrollTop = phone.scrollHeight;
};
const look = () => { listen(); addExamples(); showCurl(); scrollDown(); };
document.addEventListener("htmx:afterSettle", look);
window.addEventListener("pagehide", () => { heard?.close(); heard = undefined; });
look();
