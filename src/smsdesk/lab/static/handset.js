// The open handset: typing and sending as that phone, and its automatic reply.
const phone = document.getElementById("phone");
const thread = document.getElementById("thread");
const reply = document.getElementById("reply");
const body = document.getElementById("body");
const to = document.getElementById("to");
const problem = document.getElementById("problem");
const autoOn = document.getElementById("auto-on");
const autoBody = document.getElementById("auto-body");

const ask = async (method, path, data) => {
  problem.textContent = "";
  const number = phone.dataset.number;
  if (!number) { problem.textContent = "Open a handset first: write its number in the field above the list."; return false; }
  const answer = await fetch(`handsets/${encodeURIComponent(number)}/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: data && JSON.stringify(data),
  });
  if (!answer.ok) problem.textContent = (await answer.json()).message;
  return answer.ok;
};

const files = document.getElementById("files");
const base64 = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

const grow = () => { body.rows = Math.min(5, body.value.split("\n").length); };

reply.addEventListener("submit", async (event) => {
  event.preventDefault();
  const media = await Promise.all([...files.files].map(base64));
  if (!await ask("POST", "reply", { to: to.value.replace(/[\s().-]/g, ""), body: body.value, media })) return;
  body.value = "";
  files.value = "";
  grow();
  thread.scrollTop = thread.scrollHeight;
});
body.addEventListener("input", grow);
body.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); reply.requestSubmit(); }
});

const setAuto = async () => {
  if (autoOn.checked) {
    if (!autoBody.value) autoBody.value = autoBody.placeholder;
    autoOn.checked = await ask("PUT", "auto-reply", { body: autoBody.value });
  } else await ask("DELETE", "auto-reply");
};
autoOn.addEventListener("change", setAuto);
autoBody.addEventListener("change", () => { if (autoOn.checked) setAuto(); });
document.getElementById("auto").addEventListener("submit", (event) => { event.preventDefault(); setAuto(); });
