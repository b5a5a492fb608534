// Questions in dialogs: a link with data-dialog is asked over the page. Without scripts it is a page of its own.
const close = (dialog = document.getElementById("question")) => {
  if (!dialog?.isConnected) return;
  const opener = document.getElementById(dialog.dataset.opener);
  dialog.remove();
  opener?.focus();
};

const open = async (link) => {
  close();
  const dialog = document.createElement("dialog");
  dialog.id = "question";
  dialog.setAttribute("aria-labelledby", "question-title");
  dialog.dataset.opener = link.id;
  // The event comes later than the closing: by then the next question may be asked.
  dialog.addEventListener("close", () => close(dialog));
  dialog.setAttribute("hx-ext", "morph");
  // Beside the body and not in it: a page that comes meanwhile does not take it away.
  document.documentElement.append(dialog);
  // Its fields do what they say from the moment they are shown: htmx attends to them only when it has settled.
  const swap = "innerHTML settle:0ms";
  await window.htmx.ajax("GET", link.getAttribute("href"), { target: dialog, swap, source: dialog });
  // Another question was asked meanwhile.
  if (!dialog.isConnected) return;
  // What was refused stands among the notices.
  if (!dialog.querySelector("h2")) return close(dialog);
  dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
};

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("a[data-dialog]");
  const leave = event.target.closest("#question [data-close]");
  if (!link && !leave) return;
  event.preventDefault();
  event.stopPropagation();
  if (leave) close();
  else open(link);
}, true);

// The page that follows an answer has no question any more. A refusal stands in the question: what is behind it is dim.
document.addEventListener("htmx:beforeSwap", (event) => {
  const dialog = document.getElementById("question");
  if (!dialog) return;
  const { target, xhr, requestConfig } = event.detail;
  if (target === document.body && xhr.status < 300 && dialog.contains(requestConfig.elt)) return close();
  if (target?.id !== "notices" || !dialog.open) return;
  dialog.querySelector(".question-problem")?.remove();
  const problem = document.createElement("div");
  problem.className = "question-problem";
  problem.setAttribute("role", "alert");
  dialog.prepend(problem);
  event.detail.target = problem;
});

// The form of a new conversation: somebody who was found, a shortcut, cheaper characters.
const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

document.addEventListener("click", (event) => {
  const form = event.target.closest("#new-form");
  const button = event.target.closest("[data-to], [data-insert], [data-swaps]");
  if (!form || !button) return;
  const body = form.querySelector("#new-body");
  if (button.dataset.to) {
    const to = form.querySelector("#new-to");
    to.value = button.dataset.to;
    document.getElementById("new-people").replaceChildren();
    form.querySelector("#new-verdict").dispatchEvent(new Event("change", { bubbles: true }));
    body.focus();
  } else if (button.dataset.insert) {
    body.setRangeText(button.dataset.insert, body.selectionStart, body.selectionEnd, "end");
    body.focus();
    changed(body);
  } else {
    const swaps = JSON.parse(button.dataset.swaps);
    body.value = [...body.value].map((each) => swaps[each] ?? each).join("");
    body.focus();
    changed(body);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.altKey && event.key.toLowerCase() === "s") document.querySelector("#new-form [data-swaps]")?.click();
});
