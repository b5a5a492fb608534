// Offers are seen in every place and heard, as long as they stand: two soft notes, again every five seconds.
import { isComing } from "./page.js";

const AGAIN = 5000;
const NOTES = [[659, 0], [880, 0.16]]; // Hz, and when
const known = new Set(); // offers and given chats that were told
let audio = null;
let rung = 0;
let title = ""; // what the page is called when nothing flashes

const strip = () => document.getElementById("offers");
const offers = () => [...document.querySelectorAll("#offers [data-offer]")];

const play = () => {
  audio ??= new AudioContext();
  if (audio.state === "suspended") return audio.resume(), false;
  for (const [pitch, at] of NOTES) {
    const [tone, loudness, start] = [audio.createOscillator(), audio.createGain(), audio.currentTime + at];
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.12, start + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.45);
    tone.connect(loudness).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.5);
  }
  return true;
};

// Of several tabs one rings.
const ring = () => {
  rung = Date.now();
  const alone = (lock) => lock && play() && new Promise((done) => setTimeout(done, 900));
  if (navigator.locks) navigator.locks.request("smsdesk-ring", { ifAvailable: true }, alone);
  else play();
};

const notify = (offer) => {
  if (!window.Notification || Notification.permission !== "granted" || !document.hidden) return;
  const told = new Notification(strip().dataset.title, { body: offer.dataset.who, tag: `offer-${offer.dataset.offer}` });
  told.onclick = () => window.focus();
};

// Whether he does nothing from which a page that comes by itself would take him away: nothing is open, asked for or on its
// way, and he has just typed and clicked nowhere.
const BUSY = 3000;
let acted = -BUSY;
for (const deed of ["keydown", "pointerdown"]) document.addEventListener(deed, () => (acted = performance.now()), true);
const isFree = () =>
  document.getElementById("work") && !document.body.dataset.chat && !document.hidden && !isComing()
  && !document.querySelector("dialog[open], details.menu[open]") && !document.activeElement?.matches("input, textarea, select")
  && performance.now() - acted > BUSY;

const look = () => {
  const open = offers();
  for (const offer of open) {
    if (known.has(offer.id)) continue;
    known.add(offer.id);
    notify(offer);
    rung = 0;
  }
  for (const given of document.querySelectorAll("#offers [data-given]")) {
    if (known.has(given.id)) continue;
    known.add(given.id);
    if (strip().dataset.sound === "on") ring();
    // It opens by itself where nothing else is open; else the line with its button stays.
    if (isFree()) given.querySelector("a").click();
  }
  const ask = document.getElementById("sound-ask");
  if (ask) ask.hidden = strip().dataset.sound !== "on" || !audio || audio.state !== "suspended";
};

const beat = () => {
  const open = offers();
  const heard = strip()?.dataset.sound === "on";
  if (open.length && heard && Date.now() - rung >= AGAIN) ring();
  const flashes = open.length && Math.floor(Date.now() / 1000) % 2;
  const said = flashes ? `● ${strip().dataset.title}` : title;
  if (!document.title.startsWith("●")) title = document.title;
  if (open.length || document.title.startsWith("●")) document.title = flashes ? said : title;
  look();
};

document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-sound-ask]")) audio?.resume().then(() => (ring(), look()));
  else if (audio?.state === "suspended") audio.resume();
  if (target.closest?.("[data-notify]")) Notification.requestPermission().then(offerNotices);
});

// The button is there only where the browser has notifications and was not asked yet.
const offerNotices = () => {
  const button = document.querySelector("[data-notify]");
  if (button) button.hidden = !window.Notification || Notification.permission !== "default";
};

document.addEventListener("htmx:afterSettle", () => (look(), offerNotices()));
setInterval(beat, 1000);
