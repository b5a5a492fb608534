// `/` or `#` at the beginning of a word opens the ready-made answers; the letters after it narrow them down.
const MOST = 30;
const WORD = /(?:^|\s)([/#])([^\s/#]*)$/u;
const loaded = new WeakMap();
const listOf = (field) => document.getElementById(`shortcuts-${field.id.replace("say-", "")}`);
const asked = (field) => {
  const found = WORD.exec(field.value.slice(0, field.selectionStart));
  return found && { sign: found[1], letters: found[2].toLowerCase(), begin: field.selectionStart - found[2].length - 1 };
};
const isOpen = (list) => list && !list.hidden;
const options = (list) => [...list.querySelectorAll("[role=option]:not([hidden])")];

const close = (field) => {
  const list = listOf(field);
  if (!list) return;
  list.hidden = true;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
};
const choose = (field, option) => {
  for (const one of options(listOf(field))) one.setAttribute("aria-selected", one === option);
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};
const insert = (field, option) => {
  const word = asked(field);
  if (!word) return close(field);
  field.setRangeText(option.dataset.text, word.begin, field.selectionStart, "end");
  close(field);
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

const rank = (option, word) => {
  const { name, category, text } = option.dataset;
  if (word.sign === "#") return category.toLowerCase().startsWith(word.letters) ? 0 : -1;
  if (name.toLowerCase().startsWith(word.letters)) return 0;
  if (name.toLowerCase().includes(word.letters)) return 1;
  return text.toLowerCase().includes(word.letters) ? 2 : -1;
};
const narrow = (field, list, word, all) => {
  const fitting = all.map((option) => [rank(option, word), option]).filter(([place]) => place >= 0);
  fitting.sort((one, other) => one[0] - other[0]);
  list.replaceChildren(...fitting.slice(0, MOST).map(([, option]) => option));
  if (!fitting.length) {
    const none = document.createElement("li");
    none.className = "soft";
    none.textContent = list.dataset.none;
    list.append(none);
  }
  list.hidden = word.letters.length > 20 || (!fitting.length && word.letters.length > 3);
  field.setAttribute("aria-expanded", String(!list.hidden));
  choose(field, list.hidden ? null : options(list)[0]);
};
const load = async (list) => {
  const answer = await fetch(list.dataset.from).catch(() => null);
  if (!answer?.ok) return void loaded.delete(list);
  list.innerHTML = await answer.text();
  return [...list.children];
};
const look = async (field) => {
  const list = listOf(field);
  if (!list || field.readOnly) return;
  if (!asked(field)) return close(field);
  if (!loaded.has(list)) loaded.set(list, load(list)); // once, however fast one types
  const all = await loaded.get(list);
  const word = asked(field);
  if (all && word) narrow(field, list, word, all);
};

document.addEventListener("input", (event) => {
  if (event.target.matches?.("textarea[role=combobox]")) look(event.target);
});
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches?.("textarea[role=combobox]") || !isOpen(listOf(field)) || event.ctrlKey || event.metaKey) return;
  const shown = options(listOf(field));
  const at = shown.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(field, shown[(at + 1) % shown.length]);
  else if (event.key === "ArrowUp") choose(field, shown[(at - 1 + shown.length) % shown.length]);
  else if (event.key === "Escape") close(field);
  else if ((event.key === "Enter" || event.key === "Tab") && shown[at]) insert(field, shown[at]);
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest(".shortcuts [role=option]");
  if (!option) return;
  event.preventDefault();
  insert(option.closest("form").querySelector("textarea"), option);
});
document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("textarea[role=combobox]")) close(event.target);
});
