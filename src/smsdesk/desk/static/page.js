// How one page becomes the next without a new document: what the swap of the body alone would miss, and what it must
// leave alone.
const bodyOf = (html) => new DOMParser().parseFromString(html, "text/html");

// Pages that are on their way: what a part of the present one hears meanwhile is overtaken by them.
let coming = 0;
document.addEventListener("htmx:beforeSend", ({ detail }) => detail.boosted && (coming += 1));
document.addEventListener("htmx:afterRequest", ({ detail }) => detail.boosted && (coming = Math.max(0, coming - 1)));

// Who asked may have left the page before the answer comes: his events reach nobody but himself. What he only wanted to
// read is dropped; of what he did, the parts that have a place here still (a notice) are shown.
const place = (part) => {
  const [, goal] = /^[^:]+:(.+)$/.exec(part.getAttribute("hx-swap-oob")) ?? [];
  return document.querySelector(goal ?? `#${CSS.escape(part.id)}`);
};
const trim = (event) => {
  const { elt, xhr, requestConfig } = event.detail;
  if (!elt.isConnected && requestConfig.verb === "get") return event.preventDefault();
  if (!xhr.response?.includes?.("hx-swap-oob")) return;
  const answer = bodyOf(xhr.response);
  const homeless = [...answer.querySelectorAll("[hx-swap-oob]")].filter((part) => !place(part));
  homeless.forEach((part) => part.remove());
  if (homeless.length) Object.defineProperty(xhr, "response", { value: answer.body.innerHTML });
};
document.addEventListener("htmx:beforeSend", ({ detail }) => detail.elt.addEventListener("htmx:beforeOnLoad", trim));

export const isComing = () => coming > 0;

// A screen brings sheets and scripts of its own, and the body says which chat is open.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // A link in a part that renews itself has that part's target by inheritance, and goes to a page all the same.
  if (detail.boosted && !detail.xhr.getResponseHeader("HX-Retarget")) {
    detail.target = document.body;
    detail.swapOverride = "morph:innerHTML";
  }
  // A part that was asked for before the page changed under it is not what its place shows now.
  const { verb, path, elt } = detail.requestConfig;
  const asks = elt?.getAttribute?.("hx-get");
  if (verb === "get" && asks && (asks !== path || !elt.isConnected || (coming && !detail.boosted))) return void (detail.shouldSwap = false);
  // Only a page says what the body is: a form's answer of parts, each with a place of its own, says nothing of it.
  if (detail.target !== document.body || !detail.shouldSwap || !/<body[\s>]/i.test(detail.serverResponse)) return;
  const next = bodyOf(detail.serverResponse);
  for (const link of next.querySelectorAll("head link[rel=stylesheet]")) {
    if (!document.head.querySelector(`link[href="${link.getAttribute("href")}"]`)) document.head.append(link.cloneNode());
  }
  for (const script of next.querySelectorAll("head script[src]")) {
    const src = script.getAttribute("src");
    if (document.head.querySelector(`script[src="${src}"]`)) continue;
    document.head.append(Object.assign(document.createElement("script"), { type: script.type, src }));
  }
  for (const name of Object.keys(document.body.dataset)) if (!(name in next.body.dataset)) delete document.body.dataset[name];
  Object.assign(document.body.dataset, next.body.dataset);
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

const callbacks = window.Idiomorph?.defaults.callbacks;
if (callbacks) {
  // Parts that ask for themselves (`data-later` until they have) stay as they are when the page around them is renewed;
  // so do lines that were loaded behind a list.
  callbacks.beforeNodeMorphed = (old, next) => {
    if (old.nodeType !== 1 || next.nodeType !== 1 || !old.id || old.id !== next.id) return true;
    if ("later" in next.dataset && !("later" in old.dataset)) return false;
    return !(old.classList.contains("chat-later") && old.querySelector(".lines"));
  };
  // What a reader has opened or closed is his.
  callbacks.beforeAttributeUpdated = (name, element, change) =>
    !(name === "open" && (element.tagName === "DETAILS" || (element.tagName === "DIALOG" && change === "remove")));
}
