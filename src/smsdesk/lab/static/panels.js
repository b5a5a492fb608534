// Faults, profile and lines: what is changed here counts at once, for every page that is open.
import { refresh } from "./live.js";

const faults = document.getElementById("faults");
const controls = [...faults.querySelectorAll("input, select")];
const profile = document.getElementById("profile-name");
const problem = document.getElementById("faults-problem");

const ask = async (method, path, data) => {
  const answer = await fetch(path, {
    method,
    headers: { "content-type": "application/json" },
    body: data && JSON.stringify(data),
  });
  problem.textContent = answer.ok ? "" : (await answer.json()).message;
  refresh();
  return answer.ok ? answer : null;
};

const valueOf = (control) => {
  if (control.type === "checkbox") return control.checked;
  return control.type === "range" || control.type === "number" ? Number(control.value) : control.value;
};

const defaultOf = (control) => {
  const text = control.dataset.default;
  if (control.type === "checkbox") return text === "True";
  return control.type === "range" || control.type === "number" ? Number(text) : text;
};

const mark = () => {
  for (const control of controls) {
    control.closest(".fault").classList.toggle("on", valueOf(control) !== defaultOf(control));
    const shown = control.nextElementSibling;
    if (shown?.tagName === "OUTPUT") shown.value = `${Math.round(control.value * 100)}%`;
  }
};

const collect = () => {
  const set = {};
  for (const control of controls) {
    if (valueOf(control) !== defaultOf(control)) set[control.name] = valueOf(control);
  }
  return set;
};

faults.addEventListener("input", mark);
faults.addEventListener("change", () => { mark(); ask("PUT", "faults", collect()); });
faults.addEventListener("submit", (event) => event.preventDefault());

profile.addEventListener("change", async () => {
  const answer = await ask("PUT", "profile", { name: profile.value });
  if (!answer) return;
  const { name, ...numbers } = await answer.json();
  const said = Object.entries(numbers).filter(([, value]) => value).map(([key, value]) => `${key} ${value}`);
  document.getElementById("profile-note").textContent = said.join(", ") || "No delays, no losses.";
});

document.addEventListener("click", async (event) => {
  if (event.target.id === "all-off") {
    for (const control of controls) {
      if (control.type === "checkbox") control.checked = defaultOf(control);
      else control.value = control.dataset.default;
    }
    mark();
    await ask("DELETE", "faults");
    profile.value = "perfect";
    profile.dispatchEvent(new Event("change"));
  } else if (event.target.dataset.drop) ask("POST", "lines/drop", { line: event.target.dataset.drop });
});

// Which panels are open outlives going to another handset.
for (const panel of document.querySelectorAll("#panels details")) {
  const kept = sessionStorage.getItem(panel.id);
  if (kept !== null) panel.open = kept === "open";
  else if (matchMedia("(max-width: 70rem)").matches) panel.open = false;
  panel.addEventListener("toggle", () => sessionStorage.setItem(panel.id, panel.open ? "open" : "closed"));
}
document.getElementById("chip").addEventListener("click", (event) => {
  if (event.target.closest("a")) document.getElementById("faults-panel").open = true;
});
mark();
