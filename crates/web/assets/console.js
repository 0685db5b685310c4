// Improves what works without it: times in the reader's own zone, copying.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const lang = root.lang;
  const near = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const exact = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "long", hourCycle: "h23" });

  function localise(scope) {
    for (const time of scope.querySelectorAll("time[data-utc]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = `${exact.format(at)} · ${time.dataset.utc}`;
      time.textContent = near.format(at);
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

  document.addEventListener("htmx:afterSwap", (event) => localise(event.target.parentElement ?? document));
  localise(document);
})();
