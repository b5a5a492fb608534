// Forms of the set-up: rows are added without asking the server, a mistake's line is gone to in the file.
const addRow = (table) => {
  const rows = table.tBodies[0].rows;
  const row = rows[rows.length - 1].cloneNode(true);
  const start = `${table.dataset.rows}.`;
  for (const field of row.querySelectorAll("[name]")) {
    const [, ...rest] = field.name.slice(start.length).split(".");
    field.name = field.id = [`${start}${rows.length}`, ...rest].join(".");
    field.value = "";
  }
  for (const error of row.querySelectorAll(".field-error")) error.remove();
  table.tBodies[0].append(row);
  row.querySelector("[name]").focus();
};

const goTo = (area, line, column) => {
  const lines = area.value.split("\n");
  const at = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  area.focus();
  area.setSelectionRange(at, at + Math.max(1, (lines[line - 1] || "").length - column + 1));
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 4));
};

if (!window.smsdeskSetup) {
  window.smsdeskSetup = true;
  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add]");
    const line = event.target.closest("[data-line]");
    if (add) {
      event.preventDefault();
      addRow(document.getElementById(add.dataset.add));
    } else if (line) {
      event.preventDefault();
      goTo(document.getElementById("document"), Number(line.dataset.line), Number(line.dataset.column));
    } else if (event.target.matches("[data-select]")) {
      event.target.select();
    }
  });
}

// On a small screen the list of places is closed at first: what one came for is below it.
const narrow = () => {
  const nav = document.getElementById("setup-nav");
  if (nav && window.matchMedia("(max-width: 800px)").matches) nav.open = false;
};
// What is wrong is read out and seen first, however far down one was.
const toMistakes = () => document.getElementById("faults")?.focus();
narrow();
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== document.body) return;
  narrow();
  toMistakes();
});
