// Times that go on without the server: <time data-since> counts up, <time data-until> counts down.
const words = (seconds) => {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (h >= 24) return `${Math.floor(h / 24)} d ${h % 24} h`;
  return h ? `${h}:${String(m).padStart(2, "0")}:${String(s).padStart(2, "0")}` : `${m}:${String(s).padStart(2, "0")}`;
};

export const tick = () => {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-since], time[data-until]")) {
    const { since, until, target } = time.dataset;
    const seconds = Math.max(0, since ? (now - Date.parse(since)) / 1000 : (Date.parse(until) - now) / 1000);
    const said = words(seconds);
    if (time.textContent !== said) time.textContent = said;
    if (target) time.classList.toggle("late", seconds > Number(target));
  }
};
tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
