// The work screen: its list, and what folds where there is little room.
const list = () => document.getElementById("chat-list");

const settle = () => {
  if (!list()) return;
  // A chat that came up into the first lines is not shown twice, and the open one is marked wherever it stands.
  const seen = new Set([...list().querySelectorAll("[data-line]")].map((line) => line.dataset.line));
  for (const line of document.querySelectorAll(".chat-later [data-line]")) {
    if (seen.has(line.dataset.line)) line.remove();
  }
  for (const link of document.querySelectorAll(".line a")) {
    const open = link.closest(".line").dataset.line === document.body.dataset.chat;
    if (open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const unread = Number(list().dataset.unread);
  if (!document.title.startsWith("●")) document.title = (unread ? `(${unread}) ` : "") + document.title.replace(/^\(\d+\) /, "");
};

document.addEventListener("htmx:afterSettle", settle);
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-fold]");
  if (!button) return;
  const shown = document.getElementById("work").classList.toggle("shows-person");
  button.setAttribute("aria-expanded", String(shown));
});
