// Improves what works without it: times in the reader's own zone, copying.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const lang = root.lang;
  const near = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const hour = new Intl.DateTimeFormat(lang, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const other = new Intl.DateTimeFormat(lang, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const exact = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "long", hourCycle: "h23" });

  const year = new Date().getFullYear();

  // Which zone that is, once on each page; every time says it on hover.
  const offset = new Intl.DateTimeFormat(lang, { timeZoneName: "shortOffset" }).formatToParts().find((part) => part.type === "timeZoneName");
  for (const zone of document.querySelectorAll("[data-zone]")) {
    const name = near.resolvedOptions().timeZone;
    zone.textContent = name === "UTC" || !offset ? name : `${name} (${offset.value})`;
  }

  function localise(scope) {
    for (const time of scope.querySelectorAll("time[data-utc]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = `${exact.format(at)} · ${time.dataset.utc}`;
      time.textContent = time.hasAttribute("data-short") ? hour.format(at) : (at.getFullYear() === year ? near : other).format(at);
      time.removeAttribute("data-utc");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard?.writeText(button.dataset.copy).then(() => {
      button.classList.add("done");
      button.setAttribute("aria-label", button.dataset.copied);
      setTimeout(() => { button.classList.remove("done"); button.setAttribute("aria-label", button.title); }, 1500);
    });
  });

  // Escape closes the menu on a phone.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const open of document.querySelectorAll(".top details[open]")) open.open = false;
  });

  // A page that shows what happens is told when it has changed, and then asks for itself anew, unless somebody is in it.
  const live = document.querySelector("[data-live]");
  if (live) {
    const events = new EventSource(live.dataset.live);
    events.addEventListener("changed", () => {
      const now = document.getElementById("live");
      if (document.hidden || !now || now.contains(document.activeElement)) return;
      htmx.ajax("GET", location.href, { target: "#live", select: "#live", swap: "outerHTML" });
    });
    addEventListener("pagehide", () => events.close());
  }

  document.addEventListener("htmx:afterSwap", (event) => localise(event.target.parentElement ?? document));
  localise(document);
})();
