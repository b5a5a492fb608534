// What every page has: times that go on, notices that go away, the connection that tells what is new.
import "./clocks.js";
import "./page.js";
import "./live.js";
import "./keys.js";
import "./offers.js";

// What somebody types stays when the page around it is renewed. idiomorph leaves out all that is in the active element,
// whatever it is: a pane that has the focus would never be renewed.
const keepsWords = () => Boolean(document.activeElement?.matches("input, textarea, select"));
if (window.Idiomorph) Object.defineProperty(window.Idiomorph.defaults, "ignoreActiveValue", { enumerable: true, get: keepsWords });

// The zone in which this reader wants times; the server shows the next page in it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`smsdesk_zone=${zone}`)) {
  document.cookie = `smsdesk_zone=${zone}; path=/desk; max-age=31536000; samesite=lax`;
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".notice")?.remove();
  // A menu closes when one clicks elsewhere.
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
