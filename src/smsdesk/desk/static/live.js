// The connection that tells what is new. Browsers open six connections to a host, so all tabs of one share one stream:
// the tab that holds a lock has it, the others hear by a channel. Each topic becomes an event `live:<topic>` on the body;
// the parts of a page that show it ask the server for themselves again.
const BEAT = 35000; // ms without a sign of life (one each 15 s) after which the connection is taken for dead
const PATIENCE = 3000; // ms without a connection after which people are told
const MOST_HELD = 60;
const ALWAYS = new Set(["offers"]); // what is heard in tabs that nobody sees: an offer rings
const here = document.body.dataset.agent !== undefined; // on a page of somebody who is signed in
const me = crypto.getRandomValues(new Uint32Array(1))[0];
const channel = window.BroadcastChannel ? new BroadcastChannel("smsdesk-live") : null;

const tabs = new Map(); // of the leader: tab -> the chat that it shows
const held = new Map(); // of a hidden tab: topic -> detail, until it is looked at
const recent = new Map(); // topic -> [when it was told last, detail]
let leads = false;
let source = null; // the stream, of the leader
let opening = null; // one that is to take its place, with other chats
let watched = "";
let heard = 0; // when the stream gave a sign of life last
let failures = 0;
let retry = null;
let up = false;
let downSince = Date.now();
let leaving = false;

const spread = (least, most) => least + Math.random() * (most - least);
const chat = () => Number(document.body.dataset.chat) || 0;

// --- every tab: what it was told becomes events
const say = (topic, detail) => {
  if (document.hidden && !ALWAYS.has(topic)) {
    if (held.size < MOST_HELD) held.set(topic, detail);
    else held.clear(), held.set("all", "");
    return;
  }
  document.body.dispatchEvent(new CustomEvent(`live:${topic}`, { detail: { name: detail } }));
};
export const tell = (topic, detail) => {
  recent.delete(topic);
  recent.set(topic, [performance.now(), detail]);
  if (recent.size > 200) recent.delete(recent.keys().next().value);
  say(topic, detail);
};
const hear = (topics) => Object.entries(topics).forEach(([topic, detail]) => tell(topic, detail));

const show = (isUp) => {
  if (isUp !== up) downSince = Date.now();
  up = isUp;
  document.documentElement.dataset.live = up ? "up" : "down";
  const line = document.getElementById("offline");
  if (line && (up || leaving)) line.hidden = true;
  else if (line && Date.now() - downSince >= PATIENCE) line.hidden = false;
};

const leave = () => {
  if (leaving) return;
  leaving = true;
  close();
  location.assign(`/desk/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
};

// --- the leader: one stream, for the chats of all tabs
const close = () => {
  source?.close();
  opening?.close();
  clearTimeout(retry);
  source = opening = retry = null;
};
const wanted = () => [...new Set([...tabs.values(), chat()])].filter(Boolean).slice(-20).sort().join();

const share = (message) => channel?.postMessage({ from: me, ...message });

const connect = () => {
  clearTimeout(retry);
  retry = null;
  const before = watched;
  watched = wanted();
  const stream = new EventSource(`/desk/live?chats=${watched}`);
  const replaces = source !== null && up;
  opening?.close();
  opening = stream;
  let first = true;
  const alive = () => {
    heard = Date.now();
    failures = 0;
    if (!up) share({ up: true });
    show(true);
  };
  stream.onmessage = (event) => {
    const topics = JSON.parse(event.data);
    alive();
    if (first && replaces) {
      // The old stream told everything until now; only of the chats that it did not watch something may be new.
      delete topics.all;
      const known = new Set(before.split(","));
      watched.split(",").filter((id) => id && !known.has(id)).forEach((id) => (topics[`chat-${id}`] = ""));
    }
    if (first) {
      first = false;
      if (source !== stream) source?.close();
      source = stream;
      if (opening === stream) opening = null;
    }
    share({ topics });
    hear(topics);
  };
  stream.addEventListener("beat", alive);
  stream.addEventListener("signed-out", () => (share({ over: true }), leave()));
  stream.onerror = () => fail(stream);
};

const fail = async (stream) => {
  stream.close();
  if (stream !== source && stream !== opening) return;
  close();
  if (up) share({ up: false });
  show(false);
  // All desks come back at once when a server was away: not in the same instant.
  retry = setTimeout(connect, spread(200, Math.min(1000 * 2 ** failures++, 8000)));
  // The browser does not say why it was refused.
  const answer = await fetch("/desk/live/here", { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status === 401) share({ over: true }), leave();
};

const follow = () => {
  if (leads && watched !== wanted() && !retry) connect();
};

const lead = () => {
  leads = true;
  share({ ask: true });
  connect();
};

// --- the tabs among themselves
channel?.addEventListener("message", ({ data }) => {
  if (data.topics) hear(data.topics), show(true);
  if (data.up !== undefined) show(data.up);
  if (data.over) leave();
  if (data.ask) share({ chat: chat() });
  if (data.chat !== undefined && leads) {
    tabs.set(data.from, data.chat);
    if (data.fresh) share({ up });
    follow();
  }
  if (data.gone) tabs.delete(data.from);
  if (data.nudge && leads && retry) connect();
});

const announce = (fresh) => {
  share({ chat: chat(), fresh });
  follow();
};

const wake = () => {
  if (document.hidden) return;
  for (const [topic, detail] of [...held]) held.delete(topic), tell(topic, detail);
  if (leads && retry) connect();
  if (leads && source && Date.now() - heard > BEAT) fail(source);
};

if (here) {
  if (navigator.locks && channel) {
    navigator.locks.request("smsdesk-live", () => new Promise(() => lead()));
    announce(true);
    // What happened between the server's answer and this line: the leader hears it with its first message.
    navigator.locks.query().then((state) => state.held?.length && !leads && tell("all", ""));
  } else lead();

  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("offline", () => leads && source && fail(source));
  window.addEventListener("pagehide", () => share({ gone: true }));
  setInterval(() => {
    show(up);
    if (leads && source && Date.now() - heard > BEAT) fail(source);
    // A leader that nobody sees has slow clocks: whoever is looked at wakes it.
    if (!up && !leads && !document.hidden && Math.random() < 0.4) share({ nudge: true });
  }, 1000);

  // What was asked for before something was told, and came after, does not show it yet: a page, or a part in a page.
  // A part that asked for itself asks again, by its own queue.
  const asked = new WeakMap();
  const shows = (part, topic) => {
    const names = `[hx-trigger*="live:${topic} "]`;
    return part === document.body || part.matches(names) || part.querySelector(names) !== null;
  };
  document.body.addEventListener("htmx:beforeSend", ({ detail }) => asked.set(detail.xhr, performance.now()));
  document.body.addEventListener("htmx:afterSettle", ({ detail: { xhr, target, requestConfig } }) => {
    if (target === document.body) announce(false);
    if (!target || requestConfig?.elt === target) return;
    const since = asked.get(xhr) ?? 0;
    asked.set(xhr, performance.now());
    for (const [topic, [at, name]] of recent) if (at > since && topic !== "all" && shows(target, topic)) say(topic, name);
  });
}
