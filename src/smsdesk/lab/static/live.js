// Keeps the page live: on news it fetches the page again and swaps the parts that the server rendered.
const PARTS = ["status", "chip", "handsets", "pages", "thread", "senders", "board"];
const PAUSE_MS = 200;
const EVENTS_KEPT = 200;

const thread = document.getElementById("thread");
const phone = document.getElementById("phone");
const to = document.getElementById("to");
const search = document.getElementById("search");
const log = document.getElementById("events");

const toEnd = () => { thread.scrollTop = thread.scrollHeight; };

const localTimes = () => {
  for (const time of document.querySelectorAll("#thread time")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  }
};

// A part whose content is the same stays, and with it focus, selection and scrolling.
const swap = (fresh) => {
  const follows = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
  for (const id of PARTS) {
    const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
    if (old.dataset.was === now.innerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.dataset.was = now.innerHTML;
    old.innerHTML = now.innerHTML;
    old.className = now.className;
    if (focused) old.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  }
  if (!to.value) to.value = fresh.getElementById("to").getAttribute("value");
  localTimes();
  if (follows) toEnd();
};

// A page that opened the latest handset stays with it when another one becomes the latest.
const here = () => {
  const asked = new URLSearchParams(location.search);
  asked.set("search", search.value.trim());
  if (phone.dataset.number) asked.set("number", phone.dataset.number);
  return `./?${asked}`;
};

let busy = false;
let again = false;
export const refresh = async () => {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(here(), { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!phone.dataset.number && fresh.getElementById("phone").dataset.number) location.reload();
    else swap(fresh);
  } catch { /* The lab is away: EventSource comes back by itself and refreshes then. */ }
  await new Promise((done) => setTimeout(done, PAUSE_MS));
  busy = false;
  if (again) { again = false; refresh(); }
};

const SAYS = {
  text: (e) => `text ${e.index} on ${e.number} from ${e.source}, ${e.parts} × ${e.encoding}, by ${e.via}`,
  reply: (e) => `reply ${e.index} of ${e.number} to ${e.to}: ${e.state}`,
  line: (e) => `line ${e.line} of ${e.system_id || "nobody"}: ${e.session || "closed"}`,
  missed: (e) => `${e.missed} events were too fast for this page`,
};

const note = (kind, data) => {
  document.getElementById("no-events").hidden = true;
  const row = document.createElement("li");
  const when = document.createElement("time");
  when.textContent = new Date().toLocaleTimeString();
  row.append(when, ` ${SAYS[kind](JSON.parse(data))}`);
  row.className = kind;
  log.prepend(row);
  while (log.childElementCount > EVENTS_KEPT) log.lastElementChild.remove();
};

const events = new EventSource("events");
events.addEventListener("open", refresh);
for (const kind of Object.keys(SAYS)) {
  events.addEventListener(kind, (event) => { note(kind, event.data); refresh(); });
}
search.addEventListener("input", () => {
  const asked = new URLSearchParams(location.search);
  asked.delete("skip");
  history.replaceState(null, "", `./?${asked}`);
  refresh();
});

localTimes();
toEnd();
