// Keeps the page live: on news it fetches the page again and swaps the parts that the server rendered.
const LIVE = ["status", "handsets", "thread", "senders"];
const PAUSE_MS = 200;

const thread = document.getElementById("thread");
const phone = document.getElementById("phone");
const reply = document.getElementById("reply");
const body = document.getElementById("body");
const to = document.getElementById("to");
const problem = document.getElementById("problem");

const toEnd = () => { thread.scrollTop = thread.scrollHeight; };

const localTimes = () => {
  for (const time of document.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  }
};

const swap = (fresh) => {
  const follows = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
  for (const id of LIVE) document.getElementById(id).innerHTML = fresh.getElementById(id).innerHTML;
  if (!to.value) to.value = fresh.getElementById("to").getAttribute("value");
  localTimes();
  if (follows) toEnd();
};

// A page that opened the latest handset stays with it when another one becomes the latest.
const here = () => (phone.dataset.number ? `./?number=${encodeURIComponent(phone.dataset.number)}` : "./");

let busy = false;
let again = false;
const refresh = async () => {
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

const send = async () => {
  problem.textContent = "";
  const number = phone.dataset.number;
  if (!number) { problem.textContent = "Open a handset first."; return; }
  const answer = await fetch(`handsets/${encodeURIComponent(number)}/reply`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ to: to.value.replace(/[\s()-]/g, ""), body: body.value }),
  });
  if (answer.ok) { body.value = ""; grow(); toEnd(); } else problem.textContent = (await answer.json()).message;
};

const grow = () => {
  body.rows = Math.min(5, body.value.split("\n").length);
};

reply.addEventListener("submit", (event) => { event.preventDefault(); send(); });
body.addEventListener("input", grow);
body.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); reply.requestSubmit(); }
});

const events = new EventSource("events");
for (const name of ["open", "text", "reply", "line", "missed"]) events.addEventListener(name, refresh);

localTimes();
toEnd();
