// The open thread: stays at its end, says what is new, asks only for what it does not have.
const MOST = 120; // lines that the server is told of: more than a page of it has
const MOST_SHOWN = 200; // lines of a thread that is followed: of a day-long chat the page keeps the last, as it began
const NEAR = 80; // pixels from the end that count as being there
const WRITES = /\/desk\/chats\/(\d+)\/(?:thread|say|note|messages\/\d+\/again)$/;
const seen = new WeakSet();
let atEnd = true;

const lines = () => document.querySelector("ol.talk");
const box = () => {
  const scroller = document.querySelector(".scroller");
  return scroller && getComputedStyle(scroller).overflowY === "auto" ? scroller : document.scrollingElement;
};
const isAtEnd = () => {
  const it = box();
  return it.scrollHeight - it.scrollTop - it.clientHeight < NEAR;
};
const button = () => document.querySelector(".new-below");

export const toEnd = () => {
  const it = box();
  it.scrollTop = it.scrollHeight;
  atEnd = true;
  if (button()) button().hidden = true;
};

const note = () => {
  if (!lines()) return;
  atEnd = isAtEnd();
  if (atEnd && button()) button().hidden = true;
};
document.addEventListener("scroll", note, { capture: true, passive: true });

// New lines at the end are followed where one was there, else announced by a button; what they say is read out.
const arrived = (list, added) => {
  const last = list.lastElementChild;
  const fresh = added.filter((node) => node.nodeType === 1 && node.compareDocumentPosition(last) !== Node.DOCUMENT_POSITION_PRECEDING);
  if (!fresh.includes(last)) return;
  const own = last.classList.contains("out") && document.activeElement?.closest(".composer");
  if (atEnd || own) toEnd();
  else if (button()) button().hidden = false;
  const told = fresh.filter((line) => line.classList.contains("in")).map((line) => line.querySelector(".said")?.textContent ?? "");
  const aloud = document.getElementById(`said-${list.dataset.chat}`);
  if (told.length && aloud) aloud.textContent = `${aloud.dataset.from} ${told.join(" ").slice(0, 300)}`;
};

const observer = new MutationObserver((changes) => {
  const list = lines();
  const added = changes.flatMap((change) => (change.target === list ? [...change.addedNodes] : []));
  if (list && added.length) arrived(list, added);
});
// A picture that comes late, or the growing composer, does not take the end away.
const sizes = new ResizeObserver(() => atEnd && lines() && toEnd());

const look = () => {
  const list = lines();
  if (!list || seen.has(list)) return;
  seen.add(list);
  observer.disconnect();
  observer.observe(list, { childList: true });
  sizes.disconnect();
  sizes.observe(list);
  const scroller = document.querySelector(".scroller");
  if (scroller) sizes.observe(scroller);
  if (!location.hash) toEnd();
  listen(list.dataset.chat);
};

// Who else writes here.
let chat = "";
let over = 0;
const typing = (event) => {
  const line = document.getElementById(`typing-${chat}`);
  const me = document.getElementById(`composer-${chat}`)?.dataset.me;
  const name = event.detail?.name;
  if (!line || !name) return;
  if (name === me) return void document.dispatchEvent(new CustomEvent("desk:draft-elsewhere"));
  line.textContent = line.dataset.writing.replace("{name}", name);
  clearTimeout(over);
  over = setTimeout(() => { line.textContent = ""; }, 5000);
};
const said = () => {
  const line = document.getElementById(`typing-${chat}`);
  if (line) line.textContent = "";
};
const listen = (next) => {
  if (chat) {
    document.body.removeEventListener(`live:typing-${chat}`, typing);
    document.body.removeEventListener(`live:chat-${chat}`, said);
  }
  chat = next;
  document.body.addEventListener(`live:typing-${chat}`, typing);
  document.body.addEventListener(`live:chat-${chat}`, said);
};

document.addEventListener("htmx:configRequest", (event) => {
  const { path, parameters } = event.detail;
  const found = WRITES.exec(path);
  const list = lines();
  if (!found || !list || list.dataset.chat !== found[1] || parameters.before) return;
  // Who tells of no line is sent the last page, with a button to what is before it.
  if (list.childElementCount > MOST_SHOWN && atEnd && !list.contains(document.activeElement)) return;
  const have = [...list.querySelectorAll(":scope > li[data-v]")].slice(-MOST);
  parameters.have = have.map((line) => `${line.id}~${line.dataset.v}`).join(",");
});

// Two answers of the server may bring the same line: the later one counts.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target !== lines() || event.detail.fragment.querySelector("ol")) return;
  for (const line of event.detail.fragment.querySelectorAll("li[id]")) document.getElementById(line.id)?.remove();
});

// Older lines come in above: what is looked at stays where it is.
let anchor = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.target.classList?.contains("earlier")) return;
  const line = lines().querySelector("li[data-v]:not(.day)");
  anchor = { line, top: line.getBoundingClientRect().top };
  const older = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  for (const day of older.querySelectorAll("li.day")) document.getElementById(day.id)?.remove();
});
document.addEventListener("htmx:afterSwap", () => {
  if (anchor) box().scrollTop += anchor.line.getBoundingClientRect().top - anchor.top;
  anchor = null;
});

document.addEventListener("click", (event) => {
  if (event.target.closest(".new-below")) toEnd();
});
document.addEventListener("htmx:load", look);
document.addEventListener("htmx:afterSettle", (event) => {
  look();
  if (event.target.matches?.(".bubble bdi")) event.target.closest("li").querySelector(".more")?.remove();
});
look();
