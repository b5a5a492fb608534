// Keys: an element with `data-key` is pressed by it, `g` and a letter goes to a place, `j` and `k` walk the list. None
// works while somebody types, or while a menu or a dialog is open that has keys of its own.
const STORE = "smsdesk-keys";
const PATIENCE = 1500; // ms after `g` in which the letter is waited for
let goes = 0;

const typing = (element) => element?.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const visible = (element) => element.getClientRects().length > 0 && !element.disabled;
const first = (selector) => [...document.querySelectorAll(selector)].find(visible);
const dialog = () => document.getElementById("keys");

const press = (element) => {
  if (typing(element)) element.focus();
  else element.click();
};

const walk = (step) => {
  const links = [...document.querySelectorAll(".line a")].filter(visible);
  const at = links.findIndex((link) => link.getAttribute("aria-current") === "true");
  const goal = at < 0 ? links[step > 0 ? 0 : links.length - 1] : links[at + step];
  goal?.scrollIntoView({ block: "nearest" });
  goal?.click();
};

const show = () => {
  document.getElementById("keys-on").checked = localStorage.getItem(STORE) !== "off";
  dialog()?.showModal();
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && typing(event.target) && !event.defaultPrevented) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") return event.preventDefault(), show();
  if (localStorage.getItem(STORE) === "off") return;
  const key = CSS.escape(event.key);
  const going = Date.now() - goes < PATIENCE;
  goes = 0;
  if (going) {
    const place = first(`[data-go="${key}"]`);
    if (place) return event.preventDefault(), place.click();
  }
  if (event.key === "g") return void (goes = Date.now());
  if (event.key === "j" || event.key === "k") return event.preventDefault(), walk(event.key === "j" ? 1 : -1);
  const element = event.key.length === 1 && first(`[data-key="${key}"]`);
  if (element) event.preventDefault(), press(element);
});

document.addEventListener("click", ({ target }) => target.closest?.("[data-keys]") && show());
document.addEventListener("change", ({ target }) => {
  if (target.id === "keys-on") localStorage.setItem(STORE, target.checked ? "on" : "off");
});
